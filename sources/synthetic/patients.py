"""Who the patients are: names, numbers, addresses and family of the front page, all invented.

Belongs here: the administrative items of a person. Does not belong here: vocabularies and hospitals (people), and
what a patient was treated for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sources.synthetic import people
from sources.synthetic.cells import MISSING, Bools, Cells, Ints, choose, pick, where
from sources.synthetic.people import Hospital

# short and full name of the province, rest of the address, postcode, native-province code
_PLACES = [
    *(("云岫", "云岫省", city + county, postcode, MISSING) for _, city, county, postcode in people.COUNTIES),
    *people.ELSEWHERE,
]
_POSTCODES = [postcode for _, _, _, postcode, _ in _PLACES]
# without the province these addresses would name only a district, which says nothing
_NEEDS_PROVINCE = [rest[-1] in "区县" and "市" not in rest and "州" not in rest for _, _, rest, *_ in _PLACES]


def write_people(
    cells: Cells,
    rng: np.random.Generator,
    hospital: Hospital,
    month: str,
    count: int,
    first: Ints,
    second: Ints,
    sex: Ints,
    age: Ints,
    birth: NDArray[np.datetime64],
    newborn: Bools,
) -> None:
    """Names, numbers and addresses; the second stay of a person repeats the first one's."""
    local = len(people.COUNTIES)
    away = rng.random(count) < {"三级": 0.11, "二级": 0.03}.get(hospital.level, 0.01)
    own = [i for i, row in enumerate(people.COUNTIES) if row[0][:4] == hospital.division[:4]]
    near = np.where(rng.random(count) < 0.7, rng.choice(own, count), rng.integers(0, local, count))
    place = np.where(away, local + rng.integers(0, len(people.ELSEWHERE), count), near)
    form = np.searchsorted([0.80, 0.92, 0.97, 0.99], rng.random(count), side="right")
    street = people.streets(rng, count)
    address = []
    for p, f, text in zip(place.tolist(), form.tolist(), street, strict=True):
        short, province, rest = _PLACES[p][:3]
        if f >= 3:
            address.append(MISSING)
        elif f == 2:
            address.append(short + rest + text)
        elif f == 1 and not _NEEDS_PROVINCE[p]:
            address.append(rest + text)
        else:
            address.append(province + rest + text)
    postcode = where((form != 4) & ((form == 3) | (rng.random(count) < 0.95)), pick(_POSTCODES, place))
    registered = np.where(rng.random(count) < 0.85, place, rng.integers(0, len(_PLACES), count))
    whole = [province + rest for _, province, rest, *_ in _PLACES]
    registered_place = pick(whole, registered)

    number = np.datetime_as_string(birth, unit="D").tolist()
    birth_number = np.array([int(text.replace("-", "")) for text in number], dtype=np.int64)
    division = np.array([int(row[0]) for row in people.COUNTIES])[rng.integers(0, local, count)]
    serial = rng.integers(0, 500, count) * 2 + (sex == 1)
    identity = people.identity_numbers(division, birth_number, serial)
    stays = rng.integers(1, 4, count)
    stays[second] = stays[first] + 1
    minor = age < 22
    person = {
        "A48": [f"ZY{hospital.index + 1:03d}{month[2:4]}{month[5:7]}{row:06d}" for row in range(count)],
        "A47": where(rng.random(count) < 0.3, [f"JK{value:010d}" for value in rng.integers(0, 10**10, count).tolist()]),
        "A46C": choose(rng, count, ["1.1", "1.2", "2.1", "2.2", "7", "9"], [0.4, 0.04, 0.45, 0.03, 0.06, 0.02]),
        "A11": people.names(rng, count, rare=hospital.encoding == "gb18030"),
        "A15C": ["CHN" if value < 0.998 else "USA" for value in rng.random(count).tolist()],
        "A21C": where(~minor, choose(rng, count, ["2", "3", "4", "1"], [0.82, 0.09, 0.05, 0.04]), "1"),
        "A38C": where(~minor, choose(rng, count, ["27", "80", "24", "17", "54", "90"], [5, 3, 2, 1, 1, 1]), "31"),
        "A19C": choose(rng, count, ["1", "6", "3", "15"], [0.92, 0.04, 0.02, 0.02]),
        "A20": where(~newborn & (rng.random(count) < 0.97), identity),
        "A22": registered_place,
        "A23C": pick([native for *_, native in _PLACES], registered),
        "A24": [a + b for a, b in zip(registered_place, people.streets(rng, count), strict=True)],
        "A25C": pick(_POSTCODES, registered),
        "A26": address,
        "A27": people.phones(rng, count),
        "A28C": postcode,
        "A29": where(rng.random(count) < 0.4, [_PLACES[p][2] + people.COMPANIES[p % 6] for p in place.tolist()]),
        "A30": where(rng.random(count) < 0.3, people.phones(rng, count)),
        "A31C": [MISSING] * count,
        "A32": people.names(rng, count, rare=False),
        "A33C": choose(rng, count, ["1", "2", "3", "7"], [0.5, 0.2, 0.2, 0.1]),
        "A34": [whole[p] + text for p, text in zip(place.tolist(), street, strict=True)],
        "A35": people.phones(rng, count),
    }
    married = [state == "2" for state in person["A21C"]]
    person["A33C"] = [
        ("5" if young else relation if relation != "1" or wed else "2")
        for relation, wed, young in zip(person["A33C"], married, minor.tolist(), strict=True)
    ]
    for values in person.values():
        for one, two in zip(first.tolist(), second.tolist(), strict=True):
            values[two] = values[one]
    # the file of a patient keeps marital state and contact, even when a birthday lies between two stays
    cells.update(person)
    cells["A01"], cells["A02"] = [hospital.organisation_id] * count, [hospital.name] * count
    cells["A49"] = [str(value) for value in stays.tolist()]
