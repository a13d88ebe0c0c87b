"""What patients of the invented province have besides: other diagnoses, and which of them weigh on the group.

Belongs here: other diagnoses with their level (MCC, CC or none) and exclusion table. Does not belong here: principal
diagnoses (casemix). Codes are genuine in form, levels and tables are invented.
"""

from __future__ import annotations

from dataclasses import dataclass

ADULT, CHILD, NEWBORN = range(3)


@dataclass(frozen=True)
class Comorbidity:
    """One other diagnosis."""

    code: str
    name: str
    level: str  # mcc, cc or empty
    exclusion_table: str  # empty: counts beside every principal diagnosis
    ages: frozenset[int]


# exclusion table -> how the principal diagnoses begin beside which its codes do not count
EXCLUSIONS = {
    "T01": ("J",),
    "T02": ("A41", "R57", "I46"),
    "T03": ("I50", "I21", "I42", "I10"),
    "T04": ("K74", "B18", "C22"),
    "T05": ("N",),
    "T06": ("C91", "C85", "D46", "D61", "D69", "D73"),
    "T07": ("E87", "E11", "K29", "K59"),
    "T08": ("I26", "I71"),
    "T09": ("B20", "B34"),
    "T10": ("I61", "I63", "G45", "S06"),
    "T11": ("P22", "P07"),
    "T12": ("P36", "P23"),
    "T13": ("E11", "H36"),
}

# code | name | level | exclusion table | A adults, C children, N newborns
_TABLE = """
J96.900|呼吸衰竭|mcc|T01|AC
R57.900|休克|mcc|T02|A
A41.901|继发脓毒症|mcc|T02|AC
I50.907|全心衰竭|mcc|T03|A
K72.900|肝衰竭|mcc|T04|A
N17.900|急性肾衰竭|mcc|T05|A
D65.x00|弥散性血管内凝血|mcc|T06|A
I26.901|肺动脉栓塞|mcc|T08|A
K65.000|急性腹膜炎|mcc||A
G93.200|良性颅内压增高|mcc|T10|C
P28.500|新生儿呼吸衰竭|mcc|T11|N
P77.x00|新生儿坏死性小肠结肠炎|mcc||N
P52.900|新生儿颅内出血|mcc|T10|N
J98.414|肺部感染|cc|T01|A
J90.x00|胸腔积液|cc|T01|A
J43.900|肺气肿|cc|T01|A
J47.x00|支气管扩张|cc|T01|A
I11.900|高血压性心脏病|cc|T03|A
I48.901|心房颤动史|cc|T03|A
I69.300|脑梗死后遗症|cc|T10|A
K76.600|门静脉高压|cc|T04|A
N20.000|肾结石|cc|T05|A
D64.900|贫血|cc|T06|A
D69.600|血小板减少|cc|T06|A
E77.801|低蛋白血症|cc|T07|AC
E87.600|低钾血症|cc|T07|A
E87.100|低钠血症|cc|T07|AC
E86.x00|容量不足|cc|T07|C
G62.900|周围神经病|cc|T13|A
I80.201|下肢静脉血栓形成|cc|T08|A
B37.000|口腔念珠菌病|cc|T09|AC
L89.900|压疮|cc||A
P61.200|早产儿贫血|cc||N
P38.x00|新生儿脐炎|cc|T12|N
P70.400|新生儿低血糖|cc||N
E11.901|2型糖尿病|||A
I25.101|冠状动脉粥样硬化|||A
I67.200|脑动脉粥样硬化|||A
E78.500|高脂血症|||A
D50.900|缺铁性贫血|||AC
K21.000|胃食管反流病伴食管炎|||A
K29.700|胃炎|||A
K59.000|便秘|||AC
K76.000|脂肪肝|||A
K76.807|肝囊肿|||A
K82.806|胆囊息肉|||A
N28.101|肾囊肿|||A
M81.900|骨质疏松|||A
M47.900|脊椎关节强硬|||A
M10.900|痛风|||A
M19.900|关节病|||A
E04.101|甲状腺结节|||A
E55.900|维生素D缺乏|||AC
E79.000|高尿酸血症|||A
G47.000|睡眠障碍|||A
H81.900|前庭功能障碍|||A
H90.500|感音神经性耳聋|||A
I34.000|二尖瓣关闭不全|||A
I44.700|左束支传导阻滞|||A
I45.100|右束支传导阻滞|||A
I49.100|房性期前收缩|||A
I49.300|室性期前收缩|||A
I70.200|四肢动脉粥样硬化|||A
I70.800|颈动脉硬化|||A
I83.900|下肢静脉曲张|||A
J00.x00|急性鼻咽炎|||AC
J06.900|急性上呼吸道感染|||AC
J20.900|急性支气管炎|||A
L20.900|特应性皮炎|||AC
R42.x00|头晕|||A
R07.400|胸痛|||A
R73.000|糖耐量异常|||A
Z95.501|冠状动脉支架植入后状态|||A
Z92.100|长期使用抗凝剂|||A
F41.900|焦虑障碍|||A
F51.000|非器质性失眠症|||A
H52.100|近视|||A
H61.200|耵聍嵌塞|||A
B35.100|甲癣|||A
K02.900|龋病|||A
L22.x00|尿布皮炎|||N
P92.900|新生儿喂养问题|||N
P83.900|新生儿皮肤疾患|||N
Q82.500|先天性非肿瘤性痣|||N
"""

# hospital-acquired conditions, written with admission condition 4
_ACQUIRED = """
T81.000|操作并发出血|cc||
T81.400|操作后感染|cc|T09|
I80.200|下肢深静脉血栓形成|cc|T08|
J95.800|操作后肺部感染|cc|T01|
"""


def _read(text: str) -> list[Comorbidity]:
    found = []
    for line in text.strip().splitlines():
        code, name, level, table, ages = line.split("|")
        found.append(Comorbidity(code, name, level, table, frozenset("ACN".index(letter) for letter in ages)))
    return found


COMORBIDITIES = _read(_TABLE)
ACQUIRED = _read(_ACQUIRED)
NAMES = {entry.code: entry.name for entry in COMORBIDITIES + ACQUIRED}


def is_excluded(entry: Comorbidity, principal: str) -> bool:
    """Whether the code does not count beside this principal diagnosis."""
    return principal.startswith(EXCLUSIONS.get(entry.exclusion_table, ()))
