-- The measures that rest on DRGs: own groups against the reference's weights, means and risk classes.
{{ drg_measures(ref('int_count'), ref('int_group'), ['attribution', 'hospital_id', 'specialty_code']) }}
