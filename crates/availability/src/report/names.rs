//! What the models of Everline's own solutions are called among people.

use super::{Component, Language, Report, Service};
use crate::own;

/// Name in a model, in English, in Chinese. First the services, then the components.
const TITLES: [(&str, &str, &str); 32] = [
    ("calls", "Calls", "呼叫"),
    ("calls_with_site", "Calls with building and carrier", "呼叫（含机房与运营商）"),
    ("calls_of_two_sites", "Calls, over two sites", "呼叫（双站点）"),
    ("queues_of_two_sites", "Queues and routing, over two sites", "排队与路由（双站点）"),
    ("prompts_of_two_sites", "Prompts and media, over two sites", "语音提示与媒体（双站点）"),
    ("statistics_of_two_sites", "Real-time statistics, over two sites", "实时统计（双站点）"),
    ("reports_of_two_sites", "Reports, over two sites", "报表（双站点）"),
    ("console_of_two_sites", "Console and operations, over two sites", "控制台与运维（双站点）"),
    ("queues", "Queues and routing", "排队与路由"),
    ("prompts", "Prompts and media", "语音提示与媒体"),
    ("statistics", "Real-time statistics", "实时统计"),
    ("reports", "Reports", "报表"),
    ("console", "Console and operations", "控制台与运维"),
    ("sip_pair", "SIP Server, hot pair", "SIP 服务器，热备对"),
    ("routing_pair", "Routing Server, hot pair", "路由服务器，热备对"),
    ("media_pool", "Media Server, pool", "媒体服务器，池"),
    ("distributor_pool", "Load distributor, pool", "负载分配器，池"),
    ("stat_pair", "Stat Server, warm pair", "统计服务器，温备对"),
    ("message_pair", "Message Server, warm pair", "消息服务器，温备对"),
    ("concentrator_collectors", "Concentrator, in parallel", "交互采集器，并行"),
    ("control", "Control Server", "控制服务器"),
    ("lca", "Local Control Agent", "本地控制代理"),
    ("roles_coordinator", "Coordinator", "协调器"),
    ("machine_host", "Host: hardware and system", "主机：硬件与操作系统"),
    ("supply_supplies", "Power supplies of a host", "主机电源"),
    ("supply_feeds", "Power feeds of the room", "机房供电"),
    ("lan_network", "Network of the phones", "话机网络"),
    ("store_disks", "Disks, mirrored", "磁盘，镜像"),
    ("here_building", "Building", "机房建筑"),
    ("here_trunks", "Carrier trunks", "运营商中继"),
    ("sites", "Two sites", "双站点"),
    ("calls_anywhere.gap", "Gaps below a second", "一秒以内的中断"),
];

/// A name with a mark in brackets behind it, if there is a mark.
pub(super) fn with_mark(title: &str, mark: &str, language: Language) -> String {
    match language {
        _ if mark.is_empty() => title.to_owned(),
        Language::English => format!("{title} ({mark})"),
        Language::Chinese => format!("{title}（{mark}）"),
    }
}

impl Report {
    /// What a service or component is called. Models of others keep their names, also those that ours have too.
    #[must_use]
    pub fn title<'a>(&self, name: &'a str, language: Language) -> &'a str {
        let known = TITLES.iter().find(|(model, _, _)| *model == name && own::is_solution(&self.model));
        known.map_or(name, |(_, english, chinese)| language.pick(english, chinese))
    }

    /// What a service is called, with a mark if it, or something in it, is designed and not built yet.
    #[must_use]
    pub fn service_title(&self, service: &Service, language: Language) -> String {
        let mark = if service.designed.is_empty() {
            ""
        } else if service.designed.contains(&service.model) {
            language.pick("designed, not built yet", "已设计，尚未实现")
        } else {
            language.pick("in part designed, not built yet", "部分已设计，尚未实现")
        };
        with_mark(self.title(&service.name, language), mark, language)
    }

    /// What a component is called, with a mark if it is designed and not built yet.
    #[must_use]
    pub fn component_title(&self, component: &Component, language: Language) -> String {
        let mark =
            if component.designed { language.pick("designed, not built yet", "已设计，尚未实现") } else { "" };
        with_mark(self.title(&component.name, language), mark, language)
    }

    /// All that is designed and not built yet, and stands in the figures as if it were, in one sentence; `None` if there is
    /// nothing of the kind.
    #[must_use]
    pub fn not_built(&self, language: Language) -> Option<String> {
        let mut models: Vec<&str> = Vec::new();
        for model in self.services.iter().flat_map(|service| &service.designed) {
            if !models.contains(&model.as_str()) {
                models.push(model);
            }
        }
        let titles: Vec<&str> = models.into_iter().map(|model| self.title(model, language)).collect();
        let said = match language {
            Language::English => {
                format!("Designed, not built yet, and in the figures all the same: {}.", titles.join("; "))
            }
            Language::Chinese => format!("已设计、尚未实现，但计入以上数字：{}。", titles.join("；")),
        };
        (!titles.is_empty()).then_some(said)
    }
}
