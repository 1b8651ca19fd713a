//! What the parameters of Everline's own models are, in Chinese. The models have the English remarks.

use super::Language;

/// The remark behind a parameter, in English and in Chinese.
const REMARKS: [(&str, &str); 78] = [
    ("a disk fails", "磁盘故障"),
    ("a host is lost", "主机失效"),
    ("a member of the coordinator is lost", "协调器成员失效"),
    ("a new disk has all the data", "新磁盘复制完全部数据"),
    ("a power feed of the room fails", "机房一路供电故障"),
    ("a power supply of a host fails", "主机电源故障"),
    ("a restart brings the host back", "重启能使主机恢复"),
    ("a restart by hand takes so long", "人工重启所需时间"),
    ("a restart of the host", "主机重启所需时间"),
    ("a start of both sides", "主备双方启动所需时间"),
    ("a start of the process", "进程启动所需时间"),
    ("a start without the other side", "没有另一方时启动所需时间"),
    ("a switch fails", "交换机故障"),
    ("a way to the carrier fails", "一路运营商中继故障"),
    ("an automatic restart brings it back", "自动重启能使其恢复"),
    ("an interface fails", "网卡故障"),
    ("and has put it in", "技术人员更换备件所需时间"),
    ("deaths and hangs of one copy", "一份副本的崩溃与挂起"),
    ("deaths and hangs of one server", "一台服务器的崩溃与挂起"),
    ("deaths and hangs of one side", "一方的崩溃与挂起"),
    ("deaths and hangs of the Control Server", "控制服务器的崩溃与挂起"),
    ("deaths of one side", "一方的崩溃"),
    ("deaths of the Local Control Agent", "本地控制代理的崩溃"),
    ("deaths of the process", "进程的崩溃"),
    ("faults of the coordinator", "协调器的故障"),
    ("hangs of one side", "一方的挂起"),
    ("hangs of the process", "进程的挂起"),
    ("hosts", "主机数"),
    ("how long the building is gone", "机房失效的持续时间"),
    ("new versions that are brought in", "上线的新版本"),
    ("planned restarts of a host", "主机的计划内重启"),
    ("planned work goes wrong", "计划性工作出错"),
    ("restarts of a host for a new kernel", "为更换内核而重启主机"),
    ("servers", "服务器数"),
    ("servers that carry the load", "承担负载所需的服务器数"),
    ("share of the faults that take both of two at once", "同时影响两者的故障所占比例"),
    ("share of the faults that take both ways to the carrier", "同时影响两路运营商中继的故障所占比例"),
    ("share of the losses of a site that take both", "站点失效中两个站点同时失效的比例"),
    ("share of time with power and cooling of the building", "机房供电与制冷正常的时间比例"),
    ("share of time without a coordinator", "没有协调器的时间比例"),
    ("silence after a hang of the primary", "主用方挂起后的静默时间"),
    ("silence after the death of the primary", "主用方崩溃后的静默时间"),
    ("silence after the loss of the backup", "备用方失效后的静默时间"),
    ("silence after the loss of the primary's host", "主用方所在主机失效后的静默时间"),
    ("silence at a switchover", "计划内切换时的静默时间"),
    ("the backup breaks, and nobody notices", "备用方失效而无人察觉"),
    ("the backup has not everything any more", "备用方的数据不再完整"),
    ("the backup takes over", "备用方接管成功"),
    ("the backup takes over from a dead primary", "主用方崩溃后备用方接管成功"),
    ("the backup takes over from a lost host", "主机失效后备用方接管成功"),
    ("the backup takes over from a primary that hangs", "主用方挂起后备用方接管成功"),
    ("the disks are full", "磁盘已满"),
    ("the hardware of a host fails", "主机硬件故障"),
    ("the operating system crashes", "操作系统崩溃"),
    ("the other power supply carries on", "另一电源继续供电"),
    ("the other site takes over", "另一站点接管成功"),
    ("the same while the coordinator is away", "协调器不可用时备用方接管成功"),
    ("until a crash is noticed", "发现崩溃所需时间"),
    ("until a hang is noticed", "发现挂起所需时间"),
    ("until a lost host is back", "失效主机恢复所需时间"),
    ("until a power feed is back", "一路供电恢复所需时间"),
    ("until a spare host has a backup", "备用主机建立备用方所需时间"),
    ("until a technician comes with the part", "技术人员带备件到达所需时间"),
    ("until a way to the carrier is back", "一路运营商中继恢复所需时间"),
    ("until carriers and phones go to the other site", "运营商与话机转向另一站点所需时间"),
    ("until it has what it missed", "补齐缺失数据所需时间"),
    ("until it is back", "恢复所需时间"),
    ("until nobody asks a dead server any more", "停止向失效服务器发送请求所需时间"),
    ("until somebody looks into it", "有人着手处理之前的时间"),
    ("until that is noticed", "察觉此情况所需时间"),
    ("until the Control Server is back", "控制服务器恢复所需时间"),
    ("until the Local Control Agent is back", "本地控制代理恢复所需时间"),
    ("until the backup serves", "备用方开始服务所需时间"),
    ("until the member is back", "成员恢复所需时间"),
    ("until the next test of the backup", "距下一次备用方测试的时间"),
    ("until the process is back", "进程恢复所需时间"),
    ("until there is a backup again", "重新有备用方所需时间"),
    ("work on the network", "网络作业"),
];

/// A remark in this language; what is none of ours, or has no other words, stays as it is.
pub(super) fn translated(remark: &str, language: Language) -> &str {
    let known = REMARKS.iter().find(|(english, _)| *english == remark);
    known.map_or(remark, |(english, chinese)| language.pick(english, chinese))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::Model;
    use crate::own;

    #[test]
    fn the_table_has_the_remarks_of_everlines_own_models_and_no_others() {
        let mut found = BTreeSet::new();
        for name in own::names() {
            let text = own::model(name).expect(name).text();
            let model = Model::read(name, &text, &[]).expect(name);
            found.extend(model.parameters().iter().filter_map(|parameter| parameter.meaning().map(str::to_owned)));
        }
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(REMARKS.map(|(english, _)| english).to_vec(), found, "in the order of their letters");
    }
}
