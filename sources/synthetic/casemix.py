"""What the invented province treats: diagnosis groups, diagnoses and operations.

Belongs here: the tables from which discharges are drawn (which group is treated where, by whom, at which
price and for how long) and the two surgery catalogues that follow from the operation table. Does not
belong here: people, hospitals, file formats. Group codes and figures are invented; only the form of the
codes is genuine.
"""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Group:
    """One invented diagnosis-related group with the profile of its cases."""

    code: str
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

    @property
    def is_surgical(self) -> bool:
        """Second letter A to J: the group is defined by an operation."""
        return "A" <= self.code[1] <= "J"

    @property
    def needs_operation(self) -> bool:
        """Second letter A to Q: an operation or procedure defines the group."""
        return "A" <= self.code[1] <= "Q"

    @property
    def is_heavy(self) -> bool:
        """Cases that secondary hospitals seldom take."""
        return self.cost_yuan > 30_000

    @property
    def is_newborn(self) -> bool:
        """Cases in the first 28 days of life."""
        return self.code[0] == "P"

    @property
    def is_delivery(self) -> bool:
        """Cases that end in a birth."""
        return self.code[:3] in ("OB1", "OR1")


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
T07.x00|多处损伤
T06.800|累及身体多个部位的损伤
"""

# comorbidities that fit either sex and any adult; the first five are major
_COMORBIDITIES = """
J96.900|呼吸衰竭
R57.900|休克
I50.907|全心衰竭
K72.900|肝衰竭
N17.900|急性肾衰竭
E11.901|2型糖尿病
I25.101|冠状动脉粥样硬化
I11.900|高血压性心脏病
I69.300|脑梗死后遗症
I67.200|脑动脉粥样硬化
E78.500|高脂血症
E87.600|低钾血症
E87.100|低钠血症
E77.801|低蛋白血症
D64.900|贫血
D50.900|缺铁性贫血
D69.600|血小板减少
K21.000|胃食管反流病伴食管炎
K29.700|胃炎
K59.000|便秘
K76.000|脂肪肝
K76.807|肝囊肿
K82.806|胆囊息肉
N28.101|肾囊肿
N20.000|肾结石
M81.900|骨质疏松
M47.900|脊椎关节强硬
M10.900|痛风
M19.900|关节病
E04.101|甲状腺结节
E55.900|维生素D缺乏
E79.000|高尿酸血症
G47.000|睡眠障碍
G62.900|周围神经病
H81.900|前庭功能障碍
H90.500|感音神经性耳聋
I34.000|二尖瓣关闭不全
I44.700|左束支传导阻滞
I45.100|右束支传导阻滞
I49.100|房性期前收缩
I49.300|室性期前收缩
I70.200|四肢动脉粥样硬化
I70.800|颈动脉硬化
I83.900|下肢静脉曲张
J00.x00|急性鼻咽炎
J06.900|急性上呼吸道感染
J20.900|急性支气管炎
J43.900|肺气肿
J47.x00|支气管扩张
J90.x00|胸腔积液
J98.414|肺部感染
L20.900|特应性皮炎
R42.x00|头晕
R07.400|胸痛
R73.000|糖耐量异常
Z95.501|冠状动脉支架植入后状态
Z92.100|长期使用抗凝剂
F41.900|焦虑障碍
F51.000|非器质性失眠症
B37.000|口腔念珠菌病
"""

# hospital-acquired conditions, written with admission condition 4
_COMPLICATIONS = """
T81.000|操作并发出血
T81.400|操作后感染
I80.200|下肢深静脉血栓形成
J95.800|操作后肺部感染
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
"""

# adrg | department | frequency | cost yuan | days | deaths per mille | age | sd | min | max | sex |
# severities (1 major comorbidity, 3 comorbidity, 5 plain, 9 undivided) | principal diagnoses | operations
_GROUPS = """
AH1|2800|0.5|150000|26|180|64|13|18|92|B|13|J96.000,I46.900|31.1x00+96.7201
BB2|0402|1.1|68000|18|70|58|13|18|88|B|135|I61.902,S06.500|01.2401;01.3101
BE2|0402|0.7|72000|9|4|66|9|40|85|B|135|I65.201|00.6301+88.4101
BR1|0303|1.6|21000|14|60|66|12|25|92|B|135|I61.900|
BR2|0303|7.0|12500|10|8|69|11|30|95|B|135|I63.900,I63.300,I63.801|?88.4101
BS1|0303|1.4|7800|7|1|66|12|30|92|B|35|G45.900|
BT2|0303|0.5|15500|12|9|38|18|14|80|B|15|G04.900|?03.3101
BU1|0303|0.8|9800|10|3|70|9|45|92|B|35|G20.x00|
BV1|0303|0.9|6900|6|2|36|20|14|85|B|35|G40.900|
BY1|0402|1.3|9200|8|9|46|18|14|88|B|135|S06.000,S06.500|
CB3|1000|3.4|7200|2|0.02|70|9|40|92|B|9|H25.900,H26.900|13.4100x001+13.7101
CB1|1000|0.6|15800|5|0.02|52|14|16|82|B|9|H33.001|14.7401
CC1|1000|0.5|8600|4|0.02|64|11|35|88|B|9|H40.200|12.6400x001
CR1|1000|0.4|3600|4|0.02|45|18|14|88|B|9|H10.900|
DB1|1100|1.0|9400|5|0.05|12|8|3|45|B|9|J35.300|28.3x00
DC1|1100|1.0|13800|6|0.05|42|14|14|78|B|35|J32.900|22.6300
DT1|1100|0.8|6500|8|0.05|48|14|14|84|B|9|H91.201|
EB1|0405|1.2|63000|13|4|61|10|20|84|B|135|C34.900,C34.101,C34.301|32.4100;32.4100;32.4900x001
EJ1|0405|0.6|14500|8|4|34|19|15|85|B|35|J93.900|34.0401
ER1|0301|1.8|16500|10|30|65|10|25|90|B|135|C34.900,C34.101|?33.2400x001
ES2|0301|5.0|9800|9|12|66|17|18|98|B|135|J18.900,J15.900,J18.001|?33.2400x001
ES3|0702|3.0|4200|6|0.2|4|3|1|13|B|35|J18.900,J18.001|
ET1|0301|4.2|11200|10|14|72|9|40|96|B|135|J44.000,J44.100|
EX1|0301|0.9|6800|7|1|50|17|14|86|B|35|J45.900|
FC1|0406|0.5|142000|21|22|63|8|35|80|B|13|I25.103|36.1101;36.1501
FD1|0406|0.4|158000|22|24|58|10|25|78|B|13|I35.000|35.2200x001
FM1|0304|2.6|46000|8|14|64|11|30|90|B|135|I21.001,I21.101,I21.401|36.0701+00.6601+88.5601
FM2|0304|1.9|39500|6|3|65|10|35|88|B|35|I25.103,I20.000|36.0701+88.5601;36.0601+88.5501
FK1|0304|0.8|61000|6|1|62|11|25|85|B|35|I48.000|37.3401
FL1|0304|0.6|52000|9|3|72|9|40|94|B|35|I49.500|37.8300
FP1|0304|3.0|9200|5|1|63|10|30|88|B|35|I25.103,I20.000|88.5501;88.5601
FR1|0304|1.0|14500|8|85|73|11|35|96|B|135|I21.001,I21.101,I21.401|
FR2|0304|4.4|11500|9|24|73|11|30|98|B|135|I50.900,I50.001|
FU1|0304|1.8|8200|7|4|66|13|18|94|B|35|I48.900,I49.900|
FV1|0304|3.2|6500|7|1|63|13|20|94|B|35|I10.x00|
GB1|0401|1.2|58000|17|9|65|11|25|88|B|135|C18.900,C20.x00|17.3300;45.7300;48.6301
GB2|0401|0.9|64000|18|10|63|10|25|86|B|135|C16.900|43.6x01;43.9901
GD1|0401|2.0|12800|6|0.4|38|18|14|85|B|135|K35.900|47.0100;47.0900
GE1|0401|1.6|11200|5|0.2|58|17|18|90|B|35|K40.900|53.0000;17.1100
GK1|0302|2.4|8200|4|0.2|57|12|18|84|B|35|K63.501|45.4301
GR1|0302|1.1|14200|9|32|66|11|28|90|B|135|C16.900,C18.900|?45.1600x001
GS1|0302|1.8|12400|8|15|61|16|18|94|B|135|K92.200,K25.400|?44.4300
GU2|0302|2.4|6100|6|0.6|56|15|14|92|B|35|K29.500|?45.1600x001
HB1|0401|0.6|66000|18|12|57|11|22|82|B|135|C22.000|50.2200x001
HC1|0401|2.4|17200|7|0.6|54|14|18|88|B|135|K80.100|51.2300;51.2300;51.2200
HL1|0302|0.9|31000|9|5|66|14|20|94|B|135|K80.500|51.8801
HR1|0302|0.8|13800|9|62|61|11|25|88|B|135|C22.000|
HS1|0302|1.3|13200|11|34|59|11|25|88|B|135|K74.600|?54.9101
HT1|0302|1.2|16500|10|9|50|15|16|90|B|135|K85.900|
IB1|0403|1.0|56000|14|1|59|12|20|84|B|135|M51.202|81.0800x001;80.5100x001
IC2|0403|1.3|54000|14|5|72|12|30|96|B|135|M16.900,S72.000|81.5100;81.5201
IC3|0403|0.9|57000|13|1|68|7|45|86|B|35|M17.900|81.5400
IE1|0403|2.2|33000|14|1|48|16|14|90|B|135|S82.200,S52.500|79.3600x001;79.3200x001
IR1|0403|1.7|8600|10|5|60|17|14|94|B|135|S22.300,S32.000|?93.4600
IU2|0403|2.2|5900|9|0.2|56|13|18|90|B|35|M51.202|?93.3900
JA1|0401|1.2|31000|12|1|53|11|24|84|F|35|C50.900|85.4300;85.2100x001
JS1|1300|0.9|5600|8|1|52|20|14|92|B|35|L30.900,L03.900|
KD1|0401|1.6|24500|7|0.2|46|12|18|78|B|35|C73.x00|06.4x00+40.2100x001;06.2x00
KS1|0307|4.0|7900|9|2|61|12|16|92|B|135|E11.900,E11.200|
KT1|0307|0.7|6400|7|1|44|13|15|82|B|35|E05.900|
LB1|0404|0.7|45000|13|3|59|11|25|84|B|135|C64.x00|55.5101
LC1|0404|1.8|18400|6|0.4|51|13|18|86|B|35|N20.100|56.0x00
LL1|0306|1.5|13500|11|14|58|13|20|88|B|135|N18.000|39.9500+38.9500
LR1|0306|1.4|9800|10|9|60|13|18|90|B|135|N18.900|
LS1|0306|0.8|9200|10|1|45|17|14|84|B|35|N04.900|?55.2300
LU1|0306|1.0|6600|8|3|61|17|14|94|B|35|N39.000|
MA1|0404|0.4|52000|12|1|68|6|50|82|M|35|C61.x00|60.5x01
MB1|0404|1.0|19500|9|1|71|7|50|92|M|35|N40.x00|60.2901
NA1|0501|0.5|46000|15|1|52|10|25|78|F|35|C53.900|68.6100
NB1|0501|1.6|21000|8|0.1|45|7|22|60|F|35|D25.900|68.4101;68.2900x001
NS1|0501|0.9|5600|7|0.1|38|11|16|70|F|35|N73.900|
OB1|0502|3.6|11800|6|0.05|30|4|18|46|F|35|O82.000,O34.201|74.1x00
OC1|0501|0.7|13500|6|0.1|31|5|18|46|F|9|O00.100|66.6201
OR1|0502|3.4|5200|4|0.05|28|4|18|44|F|35|O80.000|73.5900
OZ1|0502|1.2|3900|6|0.02|29|5|18|45|F|9|O20.000|
PS1|0701|0.7|42000|22|12|0|0|0|0|B|13|P07.300|?96.7101
PU1|0701|0.6|26000|13|10|0|0|0|0|B|13|P22.000|?96.7101
PV1|0701|1.8|5200|6|0.1|0|0|0|0|B|35|P59.900|?99.8300
RR1|0305|0.8|38000|18|28|42|20|14|80|B|135|C91.000,D46.900|?41.3100
RS1|0305|0.7|24000|12|14|56|15|16|84|B|135|C85.900|?41.3100
RU1|1900|5.4|8900|5|1|58|11|18|84|B|135|Z51.102|99.2501
SR1|2800|1.0|36000|14|150|66|16|18|96|B|13|A41.900|?96.7101
SU1|1600|1.2|5100|6|1|34|20|14|88|B|35|B34.900|
SZ1|1600|0.8|9800|12|4|46|12|18|80|B|35|B18.100|
SZ2|1700|0.6|9200|13|5|50|18|15|90|B|35|A16.200|
TR1|1500|1.1|11800|32|0.6|41|14|16|80|B|9|F20.900|
TS1|1500|0.9|8600|19|0.3|45|16|14|82|B|9|F32.900|
UR1|1500|0.3|8200|16|1|48|9|25|70|M|9|F10.200|
VB1|0403|1.0|10500|8|0.1|40|14|14|78|B|35|S61.000|82.4500+86.2200
VR1|2000|0.7|13500|7|34|48|18|14|88|B|135|T60.000|
WB1|0407|0.3|48000|24|18|42|18|14|84|B|13|T21.300|86.6900x001
XR1|2100|1.6|14200|22|1|64|13|20|92|B|35|Z50.100|?93.3900
XS1|0702|0.9|2900|4|0.2|4|3|1|13|B|9|R50.900|
YR1|1600|0.3|14200|13|28|44|13|20|78|B|13|B20.900|
ZB1|0403|0.3|92000|24|45|44|15|16|82|B|13|T07.x00|79.3500x001+79.3600x001
ZR1|2800|0.2|31000|14|70|47|16|16|84|B|9|T06.800|
"""

# severity digit -> (share of cases, cost, stay, mortality factor, severity)
_SEVERITY = {
    "1": (0.18, 1.75, 1.5, 3.2, 2),
    "3": (0.34, 1.15, 1.15, 0.8, 1),
    "5": (0.48, 0.78, 0.82, 0.25, 0),
    "9": (1.0, 1.0, 1.0, 1.0, 0),
}


def _table(text: str) -> list[list[str]]:
    return [line.split("|") for line in text.strip().splitlines()]


DIAGNOSIS_NAMES = dict(_table(_DIAGNOSES) + _table(_COMORBIDITIES) + _table(_COMPLICATIONS)) | {"Z37.000": "单一活产"}
COMORBIDITIES = [code for code, _ in _table(_COMORBIDITIES)]
MAJOR_COMORBIDITIES = 5
COMPLICATIONS = [code for code, _ in _table(_COMPLICATIONS)]
CHILD_COMORBIDITIES = [
    code for code in COMORBIDITIES if code[:3] in {"J06", "J20", "J00", "K59", "E55", "L20", "D50", "E87", "D64"}
]
OPERATIONS = {
    code: Operation(code, name, kind, level, mis == "1", day == "1")
    for code, name, kind, level, mis, day in _table(_OPERATIONS)
}


@cache
def groups() -> tuple[Group, ...]:
    """All groups, one per ADRG and severity, ordered by code."""
    found = []
    for row in _table(_GROUPS):
        adrg, department, frequency, cost, days, mortality, age, sd, low, high, sex, severities, dx, ops = row
        total = sum(_SEVERITY[digit][0] for digit in severities)
        for digit in severities:
            share, cost_factor, stay_factor, death_factor, severity = _SEVERITY[digit]
            found.append(
                Group(
                    code=adrg + digit,
                    department=department,
                    frequency=float(frequency) * share / total,
                    cost_yuan=float(cost) * cost_factor,
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
                )
            )
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
        self.mdc = np.array([g.code[0] for g in table])
        self.codes = np.array([g.code for g in table], dtype=object)
        self.departments = np.array([g.department for g in table], dtype=object)
        self.once = np.array([g.code[0] in "OP" for g in table])


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
