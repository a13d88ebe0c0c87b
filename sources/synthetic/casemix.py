"""What the invented province treats: diagnosis groups, diagnoses and operations.

Belongs here: the tables from which discharges are drawn (which group is treated where, by whom, at which
price and for how long) and the two surgery catalogues that follow from the operation table. Does not
belong here: people, hospitals, file formats. Group codes and figures are invented; only the form of the
codes is genuine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

SURGERY, INTERVENTION, DIAGNOSTIC, THERAPEUTIC = "手术", "介入治疗", "诊断性操作", "治疗性操作"


@dataclass(frozen=True)
class Operation:
    """One entry of the operation table."""

    code: str
    name: str
    kind: str
    level: str
    minimally_invasive: bool
    day_surgery: bool


# how an ADRG is divided: last character of the DRG -> severity of the scheme format
SPLITS = {
    "135": {"1": "mcc", "3": "cc", "5": "none"},
    "35": {"3": "cc", "5": "none"},
    "15": {"1": "mcc", "5": "any"},
    "13": {"1": "mcc", "3": "cc"},  # a gap: nothing for a case without either
    "9": {"9": "any"},
}


@dataclass(frozen=True)
class Needs:
    """What a case must have beyond principal diagnosis and operations to come to its group."""

    other_diagnoses: tuple[str, ...] = ()  # one of them
    admission_weight_g: tuple[int, int] = (1750, 4140)
    age_days: tuple[int, int] | None = None


@dataclass(frozen=True)
class Group:
    """One invented diagnosis-related group, or one way to belong to none, with the profile of its cases."""

    code: str  # empty: no group
    ungrouped_reason: str  # empty: grouped
    mdc: str
    name: str  # of the ADRG
    split: str
    drg_severity: str
    department: str
    frequency: float
    cost_yuan: float
    stay_days: float
    mortality: float
    age: float
    age_sd: float
    age_min: int
    age_max: int
    sex: str
    severity: int  # 0 plain, 1 with comorbidity, 2 with major comorbidity
    diagnoses: tuple[str, ...]
    operations: tuple[str, ...]
    needs: Needs

    @property
    def adrg(self) -> str:
        """The adjacent group: the code without its severity."""
        return self.code[:3]

    @property
    def is_surgical(self) -> bool:
        """Second letter A to J: the group is defined by an operation."""
        return "A" <= self.code[1:2] <= "J"

    @property
    def is_heavy(self) -> bool:
        """Cases that secondary hospitals seldom take."""
        return self.cost_yuan > 30_000

    @property
    def is_newborn(self) -> bool:
        """Cases in the first 28 days of life."""
        return self.mdc == "P" and self.age_days[1] <= 28

    @property
    def age_days(self) -> tuple[int, int]:
        """Days that an age may have beyond its full years."""
        return self.needs.age_days or ((0, 10) if self.mdc == "P" else (0, 364))

    @property
    def is_delivery(self) -> bool:
        """Cases that end in a birth."""
        return self.adrg in ("OB1", "OR1")


# code | name
_DIAGNOSES = """
I46.900|心脏停搏
J96.000|急性呼吸衰竭
I61.900|脑出血
I61.902|脑叶出血
I65.201|颈动脉狭窄
I63.900|脑梗死
I63.300|脑动脉血栓形成引起的脑梗死
I63.801|腔隙性脑梗死
G45.900|短暂性脑缺血发作
G04.900|脑炎
G20.x00|帕金森病
G40.900|癫痫
S06.000|脑震荡
S06.500|创伤性硬膜下出血
H25.900|老年性白内障
H26.900|白内障
H33.001|视网膜脱离
H40.200|原发性闭角型青光眼
H10.900|结膜炎
J35.300|扁桃体肥大伴腺样体肥大
J32.900|慢性鼻窦炎
H91.201|突发性耳聋
C34.900|支气管或肺恶性肿瘤
C34.101|上叶肺恶性肿瘤
C34.301|下叶肺恶性肿瘤
J93.900|气胸
J44.000|慢性阻塞性肺病伴有急性下呼吸道感染
J44.100|慢性阻塞性肺病伴急性加重
J18.900|肺炎
J15.900|细菌性肺炎
J18.001|支气管肺炎
J45.900|支气管哮喘
I25.103|冠状动脉粥样硬化性心脏病
I35.000|主动脉瓣狭窄
I21.001|急性前壁心肌梗死
I21.101|急性下壁心肌梗死
I21.401|急性非ST段抬高型心肌梗死
I20.000|不稳定性心绞痛
I49.500|病态窦房结综合征
I48.000|阵发性心房颤动
I48.900|心房颤动
I50.900|心力衰竭
I50.001|充血性心力衰竭
I10.x00|特发性高血压
I49.900|心律失常
C16.900|胃恶性肿瘤
C18.900|结肠恶性肿瘤
C20.x00|直肠恶性肿瘤
K35.900|急性阑尾炎
K40.900|腹股沟疝
K63.501|结肠息肉
K92.200|胃肠出血
K25.400|胃溃疡伴出血
K29.500|慢性胃炎
K80.100|胆囊结石伴慢性胆囊炎
K80.500|胆管结石
C22.000|肝细胞癌
K74.600|肝硬化
K85.900|急性胰腺炎
M51.202|腰椎间盘突出
M16.900|髋关节病
S72.000|股骨颈骨折
M17.900|膝关节病
S82.200|胫骨干骨折
S52.500|桡骨远端骨折
S22.300|肋骨骨折
S32.000|腰椎骨折
C50.900|乳房恶性肿瘤
L30.900|皮炎
L03.900|蜂窝织炎
C73.x00|甲状腺恶性肿瘤
E11.900|2型糖尿病不伴有并发症
E11.200|2型糖尿病伴有肾的并发症
E05.900|甲状腺毒症
C64.x00|肾恶性肿瘤
N20.100|输尿管结石
N18.000|终末期肾病
N18.900|慢性肾脏病
N04.900|肾病综合征
N39.000|泌尿道感染
N40.x00|前列腺增生
C61.x00|前列腺恶性肿瘤
D25.900|子宫平滑肌瘤
C53.900|宫颈恶性肿瘤
O00.100|输卵管妊娠
N73.900|女性盆腔炎性疾病
O82.000|选择性剖宫产分娩
O34.201|瘢痕子宫妊娠
O80.000|头位顺产
O20.000|先兆流产
P22.000|新生儿呼吸窘迫综合征
P59.900|新生儿黄疸
P07.300|早产儿
Z51.102|恶性肿瘤维持性化学治疗
C91.000|急性淋巴细胞白血病
C85.900|非霍奇金淋巴瘤
D46.900|骨髓增生异常综合征
A41.900|脓毒症
B34.900|病毒感染
B18.100|慢性乙型病毒性肝炎
A16.200|肺结核
F20.900|精神分裂症
F32.900|抑郁发作
F10.200|酒精依赖综合征
T60.000|有机磷农药中毒
S61.000|手指开放性伤口
T21.300|躯干三度烧伤
Z50.100|物理康复治疗
R50.900|发热
B20.900|人类免疫缺陷病毒病
I42.000|扩张型心肌病
G91.900|脑积水
H36.001|糖尿病视网膜病变
R04.000|鼻出血
J98.101|肺不张
I26.900|肺栓塞
I71.000|主动脉夹层
J12.900|病毒性肺炎
K64.901|内痔
K60.301|肛瘘
K59.900|功能性肠病
M67.400|腱鞘囊肿
L72.100|毛根囊肿
D23.900|皮肤良性肿瘤
B02.900|带状疱疹
E87.500|高钾血症
N20.200|肾结石伴输尿管结石
N41.000|急性前列腺炎
Z30.200|绝育
N84.000|子宫内膜息肉
O02.100|稽留流产
O14.900|先兆子痫
Q41.000|十二指肠闭锁
P36.900|新生儿脓毒症
P23.900|先天性肺炎
D73.100|脾功能亢进
D61.900|再生障碍性贫血
D69.300|特发性血小板减少性紫癜
C77.300|腋淋巴结继发恶性肿瘤
Z51.001|恶性肿瘤放射治疗
B67.000|肝棘球蚴病
F41.100|广泛性焦虑障碍
F19.200|药物依赖综合征
S81.000|膝开放性伤口
T14.100|开放性伤口
T50.900|药物中毒
T24.200|下肢二度烧伤
Z47.001|取除骨折内固定装置
B59.x00|肺孢子菌病
B45.100|脑隐球菌病
S27.300|肺损伤
S36.000|脾损伤
S37.000|肾损伤
R69.x00|疾病原因未特指
R53.x00|乏力
"""

# code | name | class | level | minimally invasive | day surgery
_OPERATIONS = f"""
31.1x00|暂时性气管切开术|{SURGERY}|2|0|0
96.7101|呼吸机治疗[小于96小时]|{THERAPEUTIC}||0|0
96.7201|呼吸机治疗[大于等于96小时]|{THERAPEUTIC}||0|0
01.2401|开颅血肿清除术|{SURGERY}|4|0|0
01.3101|硬脑膜下钻孔引流术|{SURGERY}|3|1|0
00.6301|颈动脉支架置入术|{INTERVENTION}|3|1|0
88.4101|脑血管造影|{DIAGNOSTIC}||0|0
03.3101|腰椎穿刺术|{DIAGNOSTIC}||0|0
13.4100x001|白内障超声乳化抽吸术|{SURGERY}|3|0|1
13.7101|人工晶状体一期植入术|{SURGERY}|3|0|1
14.7401|后入路玻璃体切割术|{SURGERY}|3|1|0
12.6400x001|小梁切除术|{SURGERY}|3|0|1
28.3x00|扁桃体伴腺样体切除术|{SURGERY}|2|0|1
22.6300|筛窦切除术|{SURGERY}|3|1|0
32.4100|胸腔镜下肺叶切除术|{SURGERY}|4|1|0
32.4900x001|肺叶切除术|{SURGERY}|4|0|0
34.0401|胸腔闭式引流术|{THERAPEUTIC}||0|0
33.2400x001|支气管镜下支气管活检|{DIAGNOSTIC}||0|1
36.1101|一根冠状动脉旁路移植|{SURGERY}|4|0|0
36.1501|单乳房内动脉冠状动脉旁路移植|{SURGERY}|4|0|0
35.2200x001|主动脉瓣机械瓣膜置换术|{SURGERY}|4|0|0
36.0601|非药物洗脱冠状动脉支架置入术|{INTERVENTION}|3|0|0
36.0701|药物洗脱冠状动脉支架置入术|{INTERVENTION}|3|0|0
00.6601|经皮冠状动脉球囊扩张成形术|{INTERVENTION}|3|0|0
88.5501|单根导管冠状动脉造影|{DIAGNOSTIC}||0|0
88.5601|两根导管冠状动脉造影|{DIAGNOSTIC}||0|0
37.8300|双腔永久起搏器置入术|{INTERVENTION}|3|1|0
37.3401|经导管心脏射频消融术|{INTERVENTION}|3|1|0
43.6x01|胃远端切除术|{SURGERY}|4|0|0
43.9901|腹腔镜全胃切除术|{SURGERY}|4|1|0
45.7300|右半结肠切除术|{SURGERY}|3|0|0
17.3300|腹腔镜右半结肠切除术|{SURGERY}|3|1|0
48.6301|腹腔镜直肠前切除术|{SURGERY}|4|1|0
47.0100|腹腔镜下阑尾切除术|{SURGERY}|2|1|0
47.0900|阑尾切除术|{SURGERY}|2|0|0
53.0000|单侧腹股沟疝修补术|{SURGERY}|2|0|1
17.1100|腹腔镜下腹股沟直疝无张力修补术|{SURGERY}|3|1|1
45.4301|内镜下结肠息肉切除术|{SURGERY}|2|0|1
45.1600x001|胃镜下活检|{DIAGNOSTIC}||0|1
44.4300|内镜下胃出血止血术|{THERAPEUTIC}||0|0
51.2300|腹腔镜下胆囊切除术|{SURGERY}|3|1|1
51.2200|胆囊切除术|{SURGERY}|3|0|0
50.2200x001|肝部分切除术|{SURGERY}|4|0|0
51.8801|内镜下胆管取石术|{SURGERY}|3|1|0
54.9101|腹腔穿刺引流术|{THERAPEUTIC}||0|0
80.5100x001|椎间盘切除术|{SURGERY}|3|0|0
81.0800x001|腰椎后路融合术|{SURGERY}|4|0|0
81.5100|全髋关节置换术|{SURGERY}|4|0|0
81.5201|人工股骨头置换术|{SURGERY}|3|0|0
81.5400|全膝关节置换术|{SURGERY}|3|0|0
79.3600x001|胫骨骨折切开复位内固定术|{SURGERY}|3|0|0
79.3200x001|桡骨骨折切开复位内固定术|{SURGERY}|3|0|0
79.3500x001|股骨骨折切开复位内固定术|{SURGERY}|3|0|0
93.4600|骨牵引|{THERAPEUTIC}||0|0
85.4300|单侧扩大性乳房切除术|{SURGERY}|3|0|0
85.2100x001|乳房病损切除术|{SURGERY}|2|1|1
86.2200|伤口清创术|{SURGERY}|1|0|0
06.4x00|甲状腺全切除术|{SURGERY}|3|0|0
06.2x00|单侧甲状腺叶切除术|{SURGERY}|3|0|0
40.2100x001|颈淋巴结清扫术|{SURGERY}|4|0|0
55.5101|腹腔镜肾切除术|{SURGERY}|3|1|0
56.0x00|经尿道输尿管镜取石术|{SURGERY}|3|0|1
39.9500|血液透析|{THERAPEUTIC}||0|0
38.9500|血液透析用静脉插管|{THERAPEUTIC}||0|0
55.2300|肾穿刺活检|{DIAGNOSTIC}||0|0
60.2901|经尿道前列腺电切术|{SURGERY}|3|1|0
60.5x01|腹腔镜根治性前列腺切除术|{SURGERY}|4|1|0
68.4101|腹腔镜全子宫切除术|{SURGERY}|3|1|0
68.2900x001|子宫肌瘤切除术|{SURGERY}|3|0|0
68.6100|腹腔镜根治性子宫切除术|{SURGERY}|4|1|0
66.6201|腹腔镜输卵管切除术|{SURGERY}|2|1|0
74.1x00|低位子宫下段剖宫产|{SURGERY}|2|0|0
73.5900|手法助产|{THERAPEUTIC}||0|0
99.8300|新生儿光照疗法|{THERAPEUTIC}||0|0
99.2501|化学治疗|{THERAPEUTIC}||0|0
41.3100|骨髓穿刺活检|{DIAGNOSTIC}||0|0
82.4500|手部肌腱缝合术|{SURGERY}|2|0|1
86.6900x001|皮肤移植术|{SURGERY}|3|0|0
93.3900|物理治疗|{THERAPEUTIC}||0|0
37.5100|心脏移植术|{SURGERY}|4|0|0
41.0500|异基因造血干细胞移植|{INTERVENTION}|4|0|0
02.3400|脑室腹腔分流术|{SURGERY}|3|0|0
99.1000|溶栓药注射|{THERAPEUTIC}||0|0
14.2400|视网膜激光光凝术|{SURGERY}|2|0|1
21.0100|前鼻孔填塞止血|{THERAPEUTIC}||0|0
33.9101|支气管镜下支气管扩张术|{INTERVENTION}|3|1|0
38.4500|胸主动脉置换术|{SURGERY}|4|0|0
49.4600|痔切除术|{SURGERY}|2|0|1
49.1200|肛瘘切除术|{SURGERY}|2|0|0
82.2100|腱鞘囊肿切除术|{SURGERY}|1|0|1
86.3x01|皮肤病损切除术|{SURGERY}|1|0|1
92.2800|放射性核素治疗|{THERAPEUTIC}||0|0
98.5101|体外冲击波碎石|{THERAPEUTIC}||0|1
60.1100|前列腺穿刺活检|{DIAGNOSTIC}||0|1
66.3200|双侧输卵管结扎术|{SURGERY}|2|0|1
63.7300|输精管结扎术|{SURGERY}|1|0|1
68.1200|宫腔镜检查|{DIAGNOSTIC}||1|1
69.0200|刮宫术|{SURGERY}|1|0|1
45.9101|十二指肠空肠吻合术|{SURGERY}|4|0|0
41.5x00|全脾切除术|{SURGERY}|3|0|0
92.2400|光子放射治疗|{THERAPEUTIC}||0|0
78.6900|内固定装置取出术|{SURGERY}|2|0|0
"""

# adrg | name | department | frequency | cost yuan | days | deaths per mille | age | sd | min | max | sex |
# how it is divided (SPLITS) | principal diagnoses | operations
_GROUPS = """
AA1|心脏移植|0406|0.15|320000|38|60|46|12|18|66|B|9|I42.000|37.5100
AG1|造血干细胞移植|0305|0.2|260000|38|40|38|14|14|62|B|9|C91.000,D46.900|41.0500
AH1|气管切开术|2800|0.5|150000|26|180|64|13|18|92|B|13|J96.000,I46.900|31.1x00+96.7201
BB2|开颅血肿手术|0402|1.1|68000|18|70|58|13|18|88|B|135|I61.902,S06.500|01.2401;01.3101
BE2|颈动脉介入治疗|0402|0.7|72000|9|4|66|9|40|85|B|135|I65.201|00.6301+88.4101
BJ1|脑室分流手术|0402|0.3|38000|16|8|55|18|16|85|B|15|G91.900|02.3400
BL1|脑缺血溶栓治疗|0303|0.8|26000|10|45|67|11|30|92|B|135|I63.900,I63.300|99.1000
BR1|颅内出血性疾患|0303|1.6|21000|14|60|66|12|25|92|B|135|I61.900|
BR2|脑缺血性疾患|0303|7.0|12500|10|8|69|11|30|95|B|135|I63.900,I63.300,I63.801|?88.4101
BS1|短暂性脑缺血|0303|1.4|7800|7|1|66|12|30|92|B|35|G45.900|
BT2|中枢神经系统感染|0303|0.5|15500|12|9|38|18|14|80|B|15|G04.900|?03.3101
BU1|帕金森病|0303|0.8|9800|10|3|70|9|45|92|B|35|G20.x00|
BV1|癫痫|0303|0.9|6900|6|2|36|20|14|85|B|35|G40.900|
BY1|颅脑闭合性损伤|0402|1.3|9200|8|9|46|18|14|88|B|135|S06.000,S06.500|
CB1|玻璃体视网膜手术|1000|0.6|15800|5|0.02|52|14|16|82|B|9|H33.001|14.7401
CB3|晶状体手术|1000|3.4|7200|2|0.02|70|9|40|92|B|9|H25.900,H26.900|13.4100x001+13.7101
CC1|青光眼手术|1000|0.5|8600|4|0.02|64|11|35|88|B|9|H40.200|12.6400x001
CK1|视网膜激光治疗|1000|0.5|4200|2|0.02|60|10|25|85|B|9|H36.001|14.2400
CR1|眼部感染|1000|0.4|3600|4|0.02|45|18|14|88|B|9|H10.900|
DB1|扁桃体及腺样体手术|1100|1.0|9400|5|0.05|12|8|3|45|B|9|J35.300|28.3x00
DC1|鼻窦手术|1100|1.0|13800|6|0.05|42|14|14|78|B|35|J32.900|22.6300
DK1|鼻出血填塞|1100|0.4|4800|4|0.2|52|18|14|88|B|35|R04.000|21.0100
DT1|突发性耳聋|1100|0.8|6500|8|0.05|48|14|14|84|B|9|H91.201|
EB1|肺大手术|0405|1.2|63000|13|4|61|10|20|84|B|135|C34.900,C34.101,C34.301|32.4100;32.4100;32.4900x001
EJ1|胸腔引流手术|0405|0.6|14500|8|4|34|19|15|85|B|35|J93.900|34.0401
EK1|支气管镜介入治疗|0301|0.5|19000|8|6|62|12|20|86|B|35|J98.101|33.9101
ER1|呼吸系统肿瘤|0301|1.8|16500|10|30|65|10|25|90|B|135|C34.900,C34.101|?33.2400x001
ER3|呼吸衰竭|0301|0.5|21000|12|110|71|12|25|95|B|15|J96.000|
ES2|成人肺炎|0301|5.0|9800|9|12|66|17|18|98|B|135|J18.900,J15.900|?33.2400x001
ES3|儿童肺炎|0702|3.0|4200|6|0.2|4|3|1|13|B|35|J18.001,J12.900|
ET1|慢性气道阻塞病|0301|4.2|11200|10|14|72|9|40|96|B|135|J44.000,J44.100|
EV1|肺栓塞|0301|0.4|19500|11|40|66|13|22|92|B|15|I26.900|
EX1|哮喘|0301|0.9|6800|7|1|50|17|14|86|B|35|J45.900|
FC1|冠状动脉旁路移植术|0406|0.5|142000|21|22|63|8|35|80|B|15|I25.103|36.1101;36.1501
FD1|心脏瓣膜手术|0406|0.4|158000|22|24|58|10|25|78|B|15|I35.000|35.2200x001
FJ1|主动脉手术|0406|0.3|128000|18|50|58|12|24|82|B|15|I71.000|38.4500
FK1|心律失常消融治疗|0304|0.8|61000|6|1|62|11|25|85|B|35|I48.000|37.3401
FL1|永久起搏器置入|0304|0.6|52000|9|3|72|9|40|94|B|35|I49.500|37.8300
FM1|急性心肌梗死介入治疗|0304|2.6|46000|8|14|64|11|30|90|B|135|I21.001,I21.101,I21.401|36.0701+00.6601+88.5601;00.6601+88.5601
FM2|冠状动脉支架置入|0304|1.9|39500|6|3|65|10|35|88|B|35|I25.103,I20.000|36.0701+88.5601;36.0601+88.5501
FP1|冠状动脉造影|0304|3.0|9200|5|1|63|10|30|88|B|35|I25.103,I20.000|88.5501;88.5601
FR1|急性心肌梗死|0304|1.0|14500|8|85|73|11|35|96|B|135|I21.001,I21.101,I21.401|
FR2|心力衰竭|0304|4.4|11500|9|24|73|11|30|98|B|135|I50.900,I50.001|
FS1|心脏停搏|0304|0.3|24000|6|420|67|14|20|94|B|135|I46.900|
FU1|心律失常|0304|1.8|8200|7|4|66|13|18|94|B|35|I48.900,I49.900|
FV1|高血压|0304|3.2|6500|7|1|63|13|20|94|B|35|I10.x00|
GB1|大肠大手术|0401|1.2|58000|17|9|65|11|25|88|B|135|C18.900,C20.x00|17.3300;45.7300;48.6301
GB2|胃大手术|0401|0.9|64000|18|10|63|10|25|86|B|135|C16.900|43.6x01;43.9901
GD1|阑尾手术|0401|2.0|12800|6|0.4|38|18|14|85|B|135|K35.900|47.0100;47.0900
GE1|疝手术|0401|1.6|11200|5|0.2|58|17|18|90|B|35|K40.900|53.0000;17.1100
GF1|肛门手术|0401|1.0|7800|5|0.05|44|13|18|78|B|9|K64.901,K60.301|49.4600;49.1200
GK1|结肠镜治疗|0302|2.4|8200|4|0.2|57|12|18|84|B|35|K63.501|45.4301
GR1|消化系统恶性肿瘤|0302|1.1|14200|9|32|66|11|28|90|B|135|C16.900,C18.900|?45.1600x001
GS1|消化道出血|0302|1.8|12400|8|15|61|16|18|94|B|135|K92.200,K25.400|?44.4300
GU2|胃炎|0302|2.4|6100|6|0.6|56|15|14|92|B|35|K29.500|?45.1600x001
GZ1|功能性肠病|0302|0.6|5200|5|0.1|54|16|16|88|B|35|K59.900|
HB1|肝切除术|0401|0.6|66000|18|12|57|11|22|82|B|135|C22.000|50.2200x001
HC1|胆囊切除术|0401|2.4|17200|7|0.6|54|14|18|88|B|135|K80.100|51.2300;51.2300;51.2200
HL1|内镜胆管取石|0302|0.9|31000|9|5|66|14|20|94|B|135|K80.500|51.8801
HR1|肝恶性肿瘤|0302|0.8|13800|9|62|61|11|25|88|B|135|C22.000|
HS1|肝硬化|0302|1.3|13200|11|34|59|11|25|88|B|135|K74.600|?54.9101
HT1|急性胰腺炎|0302|1.2|16500|10|9|50|15|16|90|B|135|K85.900|
HU1|胆囊结石非手术治疗|0302|0.6|8800|7|1|62|14|20|92|B|35|K80.100|
IB1|脊柱手术|0403|1.0|56000|14|1|59|12|20|84|B|135|M51.202|81.0800x001;80.5100x001
IC2|髋关节置换术|0403|1.3|54000|14|5|72|12|30|96|B|135|M16.900,S72.000|81.5100;81.5201
IC3|膝关节置换术|0403|0.9|57000|13|1|68|7|45|86|B|35|M17.900|81.5400
IE1|四肢骨折内固定术|0403|2.2|33000|14|1|48|16|14|90|B|135|S82.200,S52.500|79.3600x001;79.3200x001
IJ1|腱鞘囊肿手术|0403|0.5|8600|4|0.02|46|13|16|78|B|9|M67.400|82.2100
IR1|骨折非手术治疗|0403|1.7|8600|10|5|60|17|14|94|B|135|S22.300,S32.000|?93.4600
IU2|椎间盘疾患|0403|2.2|5900|9|0.2|56|13|18|90|B|35|M51.202|?93.3900
JA1|乳房切除术|0401|1.2|31000|12|1|53|11|24|84|F|35|C50.900|85.4300;85.2100x001
JJ1|皮肤病损切除术|1300|0.5|7200|5|0.1|50|16|14|86|B|35|L72.100,D23.900|86.3x01
JS1|皮炎及蜂窝织炎|1300|0.9|5600|8|1|52|20|14|92|B|35|L30.900,L03.900|
JT1|带状疱疹|1300|0.8|6900|8|0.2|62|13|20|90|B|35|B02.900|
KD1|甲状腺手术|0401|1.6|24500|7|0.2|46|12|18|78|B|35|C73.x00|06.4x00+40.2100x001;06.2x00
KK1|甲状腺核素治疗|0307|0.3|11800|5|0.1|45|12|18|78|B|9|E05.900|92.2800
KS1|糖尿病|0307|4.0|7900|9|2|61|12|16|92|B|135|E11.900,E11.200|
KT1|甲状腺功能亢进|0307|0.7|6400|7|1|44|13|15|82|B|35|E05.900|
KU1|电解质紊乱|0306|0.5|7600|6|8|66|14|20|92|B|35|E87.500|
LB1|肾切除术|0404|0.7|45000|13|3|59|11|25|84|B|135|C64.x00|55.5101
LC1|输尿管结石取石术|0404|1.8|18400|6|0.4|51|13|18|86|B|35|N20.100|56.0x00
LK1|体外冲击波碎石|0404|0.6|6800|3|0.05|49|13|18|82|B|9|N20.200|98.5101
LL1|终末期肾病透析|0306|1.5|13500|11|14|58|13|20|88|B|135|N18.000|39.9500+38.9500
LR1|慢性肾脏病|0306|1.4|9800|10|9|60|13|18|90|B|135|N18.900|
LS1|肾病综合征|0306|0.8|9200|10|1|45|17|14|84|B|35|N04.900|?55.2300
LU1|泌尿道感染|0306|1.0|6600|8|3|61|17|14|94|B|35|N39.000|
MA1|前列腺根治术|0404|0.4|52000|12|1|68|6|50|82|M|35|C61.x00|60.5x01
MB1|前列腺切除术|0404|1.0|19500|9|1|71|7|50|92|M|35|N40.x00|60.2901
MK1|前列腺穿刺活检|0404|0.5|7800|4|0.1|69|7|48|88|M|35|N40.x00,C61.x00|60.1100
MS1|男性生殖系统炎症|0404|0.4|5600|7|0.1|45|13|18|76|M|9|N41.000|
NA1|子宫根治术|0501|0.5|46000|15|1|52|10|25|78|F|35|C53.900|68.6100
NB1|子宫手术|0501|1.6|21000|8|0.1|45|7|22|60|F|35|D25.900|68.4101;68.2900x001
NJ1|女性绝育手术|0501|0.3|6800|3|0.02|34|4|22|46|F|9|Z30.200|66.3200
NK1|宫腔镜检查|0501|0.6|8800|4|0.05|44|9|22|68|F|9|N84.000|68.1200
NS1|女性盆腔炎症|0501|0.9|5600|7|0.1|38|11|16|70|F|35|N73.900|
OB1|剖宫产|0502|3.6|11800|6|0.05|30|4|18|46|F|35|O82.000,O34.201|74.1x00
OC1|异位妊娠手术|0501|0.7|13500|6|0.1|31|5|18|46|F|9|O00.100|66.6201
OJ1|刮宫术|0502|0.8|4600|3|0.02|31|5|18|46|F|9|O02.100|69.0200
OR1|阴道分娩|0502|3.4|5200|4|0.05|28|4|18|44|F|35|O80.000|73.5900
OS1|先兆子痫|0502|0.5|9800|7|0.3|32|5|18|46|F|35|O14.900|
OZ1|先兆流产|0502|1.2|3900|6|0.02|29|5|18|45|F|9|O20.000|
PB1|新生儿消化道手术|0701|0.3|52000|20|14|0|0|0|0|B|15|Q41.000|45.9101
PR1|新生儿，入院体重不足1000克|0701|0.25|98000|42|90|0|0|0|0|B|9|P07.300,P22.000|?96.7101
PS1|早产儿，入院体重1000至1499克|0701|0.7|42000|22|12|0|0|0|0|B|15|P07.300|?96.7101
PS2|早产儿，入院体重1500至1999克|0701|0.5|31000|18|5|0|0|0|0|B|15|P07.300|
PS3|早产儿，入院体重2000至2499克|0701|0.6|16500|11|2|0|0|0|0|B|35|P07.300|
PT1|新生儿感染|0701|0.6|11800|9|4|0|0|0|0|B|135|P36.900,P23.900|
PU1|新生儿呼吸窘迫|0701|0.6|26000|13|10|0|0|0|0|B|135|P22.000|?96.7101
PV1|新生儿黄疸，七日龄以内|0701|1.8|5200|6|0.1|0|0|0|0|B|35|P59.900|?99.8300
PV2|新生儿黄疸，七日龄以上|0701|0.6|4800|5|0.1|0|0|0|0|B|9|P59.900|?99.8300
QB1|脾切除术|0401|0.3|36000|12|4|52|13|18|80|B|15|D73.100|41.5x00
QS1|再生障碍性贫血|0305|0.8|14600|9|10|50|18|14|86|B|35|D61.900|?41.3100
QT1|血小板减少性紫癜|0305|0.7|13200|9|5|48|18|14|86|B|135|D69.300|
RB1|恶性肿瘤淋巴结清扫术|1900|0.3|32000|11|2|56|11|22|80|B|35|C77.300|40.2100x001
RR1|急性白血病及骨髓增生异常|0305|0.8|38000|18|28|42|20|14|80|B|135|C91.000,D46.900|?41.3100
RS1|淋巴瘤|0305|0.7|24000|12|14|56|15|16|84|B|135|C85.900|?41.3100
RU1|恶性肿瘤化学治疗|1900|5.4|8900|5|1|58|11|18|84|B|135|Z51.102|99.2501
RV1|恶性肿瘤放射治疗|1900|1.0|24500|20|2|59|11|20|84|B|35|Z51.001|92.2400
SB1|感染性疾病手术|1600|0.3|26000|14|12|54|16|16|86|B|35|B67.000|50.2200x001
SR1|脓毒症|2800|1.0|36000|14|150|66|16|18|96|B|15|A41.900|?96.7101
SU1|病毒感染|1600|1.2|5100|6|1|34|20|14|88|B|35|B34.900|
SZ1|慢性病毒性肝炎|1600|0.8|9800|12|4|46|12|18|80|B|35|B18.100|
SZ2|肺结核|1700|0.6|9200|13|5|50|18|15|90|B|35|A16.200|
TB1|精神疾病伴手术|1500|0.2|15800|14|2|44|14|18|80|B|9|F20.900,F32.900|47.0900;79.3200x001
TR1|精神分裂症|1500|1.1|11800|32|0.6|41|14|16|80|B|9|F20.900|
TS1|抑郁障碍|1500|0.9|8600|19|0.3|45|16|14|82|B|9|F32.900|
TU1|焦虑障碍|1500|0.5|6200|12|0.1|46|15|16|80|B|9|F41.100|
UR1|酒精依赖|1500|0.3|8200|16|1|48|9|25|70|M|9|F10.200|
US1|药物依赖|1500|0.2|7800|18|0.5|38|9|20|62|B|9|F19.200|
VB1|手外伤手术|0403|1.0|10500|8|0.1|40|14|14|78|B|35|S61.000|82.4500+86.2200
VR1|有机磷中毒|2000|0.7|13500|7|34|48|18|14|88|B|135|T60.000|
VS1|开放性伤口|0403|0.6|3900|5|0.1|42|15|14|82|B|9|S81.000,T14.100|
VT1|药物中毒|2000|0.5|6900|4|6|42|18|14|86|B|35|T50.900|
WB1|烧伤植皮手术|0407|0.3|48000|24|18|42|18|14|84|B|15|T21.300|86.6900x001
WR1|烧伤非手术治疗|0407|0.5|14800|13|4|42|18|14|84|B|135|T21.300,T24.200|
XJ1|取除内固定装置|0403|0.6|9200|5|0.02|44|15|16|80|B|9|Z47.001|78.6900
XR1|康复治疗|2100|1.6|14200|22|1|64|13|20|92|B|35|Z50.100|?93.3900
XS1|儿童发热|0702|0.9|2900|4|0.2|4|3|1|13|B|9|R50.900|
YC1|艾滋病伴手术|1600|0.2|26000|14|12|42|12|20|76|B|9|B20.900|47.0900;34.0401
YR1|艾滋病伴机会性感染|1600|0.3|14200|13|28|44|13|20|78|B|15|B20.900|
YS1|艾滋病|1600|0.3|11200|11|14|43|13|20|78|B|15|B20.900|
ZB1|多发性创伤骨折手术|0403|0.3|92000|24|45|44|15|16|82|B|15|S72.000,S82.200|79.3500x001+79.3600x001
ZC1|多发性创伤开颅手术|0402|0.25|112000|26|110|46|15|16|82|B|15|S06.500|01.2401
ZR1|多发性创伤|2800|0.2|31000|14|70|47|16|16|84|B|135|S22.300,S32.000,S06.500|
"""

# mdc | why no group fits | department … sex as above | severity | principal diagnoses | operations
_UNGROUPED = """
X|principal_outside_scheme|0302|1.6|5200|5|1|52|18|14|92|B|R69.x00,R53.x00|
M|sex_conflict|0404|0.4|4200|2|0.02|36|6|22|55|M|Z30.200|63.7300
P|age_conflict|0701|0.4|9800|8|1|0|0|0|0|B|P07.300,P59.900|
P|weight_conflict|0701|0.3|7200|7|0.5|0|0|0|0|B|P07.300|
C|no_adrg|1000|0.5|2600|2|0.02|70|9|40|92|B|H25.900,H26.900|
H|no_adrg|0401|0.2|9600|6|0.5|58|15|18|90|B|K80.100|86.2200
B|no_adrg|0402|0.2|9800|7|2|46|17|14|85|B|S06.000|86.2200
A|no_drg|2800|0.3|68000|18|120|62|13|18|92|B|J96.000,I46.900|31.1x00+96.7201
"""

_TUMOURS = ("C34.900", "C16.900", "C18.900", "C22.000")
_NEEDS = {
    "PR1": Needs(admission_weight_g=(500, 990)),
    "PS1": Needs(admission_weight_g=(1000, 1490)),
    "PS2": Needs(admission_weight_g=(1500, 1990)),
    "PS3": Needs(admission_weight_g=(2000, 2490)),
    "PV1": Needs(age_days=(0, 7)),
    "PV2": Needs(age_days=(8, 28)),
    "RU1": Needs(other_diagnoses=_TUMOURS),
    "RV1": Needs(other_diagnoses=_TUMOURS),
    "YR1": Needs(other_diagnoses=("B59.x00", "B45.100")),
    # a second region of the body
    "ZB1": Needs(other_diagnoses=("S27.300", "S36.000")),
    "ZC1": Needs(other_diagnoses=("S27.300", "S36.000")),
    "ZR1": Needs(other_diagnoses=("S36.000", "S37.000")),
    "age_conflict": Needs(age_days=(40, 180)),
    "weight_conflict": Needs(admission_weight_g=(2500, 3400)),
}

# severity digit -> (share of cases, cost, stay, mortality factor, severity)
_SEVERITY = {
    "1": (0.18, 1.75, 1.5, 3.2, 2),
    "3": (0.34, 1.15, 1.15, 0.8, 1),
    "5": (0.48, 0.78, 0.82, 0.25, 0),
    "9": (1.0, 1.0, 1.0, 1.0, 0),
}


def _table(text: str) -> list[list[str]]:
    return [line.split("|") for line in text.strip().splitlines()]


DIAGNOSIS_NAMES = dict(_table(_DIAGNOSES)) | {"Z37.000": "单一活产"}
OPERATIONS = {
    code: Operation(code, name, kind, level, mis == "1", day == "1")
    for code, name, kind, level, mis, day in _table(_OPERATIONS)
}
# codes of the edition before, which the older interface still carries
OLD_DIAGNOSES = {"I63.901": "I63.900", "I63.902": "I63.900", "J18.903": "J18.900", "J44.101": "J44.100"}
OLD_OPERATIONS = {"51.2301": "51.2300", "47.0101": "47.0100"}


def cost_yuan(adrg_cost: float, digit: str) -> float:
    """Usual cost of a DRG, from that of its ADRG."""
    return adrg_cost * _SEVERITY[digit][1]


ADRG_COSTS = {row[0]: float(row[4]) for row in _table(_GROUPS)}


def _group(
    row: list[str], code: str = "", *, reason: str = "", name: str = "", split: str = "", digit: str = ""
) -> Group:
    """One group from the columns that all groups have: department … sex, principal diagnoses, operations."""
    department, frequency, cost, days, mortality, age, sd, low, high, sex, dx, ops = row
    share, _, stay_factor, death_factor, severity = _SEVERITY[digit or "9"]
    total = sum(_SEVERITY[other][0] for other in split or "9")
    return Group(
        code=code,
        ungrouped_reason=reason,
        mdc=code[:1],
        name=name,
        split=split,
        drg_severity=SPLITS[split][digit] if split else "",
        department=department,
        frequency=float(frequency) * share / total,
        cost_yuan=cost_yuan(float(cost), digit or "9"),
        stay_days=float(days) * stay_factor,
        mortality=float(mortality) / 1000 * death_factor,
        age=float(age),
        age_sd=float(sd),
        age_min=int(low),
        age_max=int(high),
        sex=sex,
        severity=severity,
        diagnoses=tuple(dx.split(",")),
        operations=tuple(ops.split(";")) if ops else (),
        needs=_NEEDS.get(code[:3] or reason, Needs()),
    )


@cache
def groups() -> tuple[Group, ...]:
    """One group per ADRG and severity, ordered by code, and before them the ways to belong to none."""
    found = []
    for mdc, reason, *row in _table(_UNGROUPED):
        found.append(replace(_group(row, reason=reason), mdc=mdc))
    for adrg, name, *columns in _table(_GROUPS):
        split = columns.pop(10)
        for digit in split:
            found.append(_group(columns, adrg + digit, name=name, split=split, digit=digit))
    return tuple(sorted(found, key=lambda group: group.code))


class Profile:
    """Columns of the group table as arrays, in the order of `groups()`."""

    def __init__(self) -> None:
        table = groups()
        self.groups = table
        self.cost = np.array([g.cost_yuan for g in table])
        self.stay = np.array([g.stay_days for g in table])
        self.mortality = np.array([g.mortality for g in table])
        self.age = np.array([g.age for g in table])
        self.age_sd = np.array([g.age_sd for g in table])
        self.age_min = np.array([g.age_min for g in table])
        self.age_max = np.array([g.age_max for g in table])
        self.severity = np.array([g.severity for g in table])
        self.sex = np.array([{"B": 0, "M": 1, "F": 2}[g.sex] for g in table])
        self.surgical = np.array([g.is_surgical for g in table])
        self.heavy = np.array([g.is_heavy for g in table])
        self.newborn = np.array([g.is_newborn for g in table])
        self.delivery = np.array([g.is_delivery for g in table])
        self.child = np.array([g.age_max < 18 for g in table])
        self.mdc = np.array([g.mdc for g in table])
        self.codes = np.array([g.code for g in table], dtype=object)
        self.reasons = np.array([g.ungrouped_reason for g in table], dtype=object)
        self.departments = np.array([g.department for g in table], dtype=object)
        self.once = np.array([g.mdc in "OP" for g in table])
        self.age_days = np.array([g.age_days for g in table])
        self.admission_weight_g = np.array([g.needs.admission_weight_g for g in table])


PROFILE = Profile()


@dataclass(frozen=True)
class CatalogueEntry:
    """One row of a surgery catalogue edition."""

    edition: str
    operation: Operation
    effective_from: str
    effective_to: str


# what the second edition changes: new level and minimally invasive flag, codes it adds, codes it drops
_SECOND_EDITION_LEVELS = {"51.2300": "2", "22.6300": "4", "37.8300": "4", "60.2901": "4", "43.6x01": "3"}
_SECOND_EDITION_FLAGS = {"28.3x00": True, "85.2100x001": False, "68.2900x001": True}
_ONLY_IN_SECOND = {"01.3101", "66.6201"}
_ONLY_IN_FIRST = {"86.2200"}


@cache
def surgical_codes() -> frozenset[str]:
    """Codes that the catalogue counts as surgery or intervention."""
    return frozenset(code for code, operation in OPERATIONS.items() if operation.kind in ("手术", "介入治疗"))


def surgery_catalogue(first_year: int) -> list[CatalogueEntry]:
    """Two editions of the national list; the second replaces the first on 1 January of the third year."""
    change = f"{first_year + 2}-01-01"
    entries = []
    for operation in OPERATIONS.values():
        if operation.code not in _ONLY_IN_SECOND:
            entries.append(CatalogueEntry(f"{first_year}版", operation, f"{first_year}-01-01", change))
    for operation in OPERATIONS.values():
        if operation.code not in _ONLY_IN_FIRST:
            code = operation.code
            later = Operation(
                code,
                operation.name,
                operation.kind,
                _SECOND_EDITION_LEVELS.get(code, operation.level),
                _SECOND_EDITION_FLAGS.get(code, operation.minimally_invasive),
                operation.day_surgery,
            )
            entries.append(CatalogueEntry(f"{first_year + 2}版", later, change, ""))
    return entries
