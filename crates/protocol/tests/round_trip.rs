//! Each message is read and written again without a change, with every member it can have; and where
//! readers depend on the order of members, the bytes are pinned.

use std::collections::BTreeSet;

use serde_json::Value;
use supermega_protocol::account::{FetchQuota, FetchUser, UpdateUser, UpgradeAccount};
use supermega_protocol::backup::{ListBackups, PutBackup, PutHeartbeat, RemoveBackup};
use supermega_protocol::contact::{
    AnswerInvitation, FetchAddress, FetchPublicKey, Invite, SetContact, SetContactOld,
};
use supermega_protocol::contact_link::{
    FetchContactLink, MakeContactLink, RemoveContactLink, RenewContactLink,
};
use supermega_protocol::event::{EventReply, Events};
use supermega_protocol::file_attribute::{PutFileAttributes, RequestFileAttributes};
use supermega_protocol::key::{HandOverKeys, SetKeys};
use supermega_protocol::link::{FetchLink, LinkReply, SetLink};
use supermega_protocol::node::{DeleteNode, DeleteVersions, EmptyTrash, MoveNode, SetAttributes};
use supermega_protocol::packet::{ActionPacket, PacketBody, PendingKeys, RemovedNode};
use supermega_protocol::put::PutNodes;
use supermega_protocol::recovery::{
    ConfirmEmailChange, FetchMailCode, RequestEmailChange, RequestMail, UseMailCode,
};
use supermega_protocol::second_factor::{FetchSecondFactor, RemoveSecondFactor, SetSecondFactor};
use supermega_protocol::service::{self, FetchBlockReason, FetchFlags, QueryTransferQuota};
use supermega_protocol::session::{Login, Logout, Prelogin};
use supermega_protocol::session_list::{EndSessions, ListSessions};
use supermega_protocol::share::SetShare;
use supermega_protocol::signup::{CancelSignup, ConfirmSignup, RequestSignup};
use supermega_protocol::transfer::{RequestDownload, RequestUpload};
use supermega_protocol::tree::{FetchNodes, Tree};
use supermega_protocol::user_attribute::{
    FetchAttribute, PutAttributes, PutVersionedAttributes, RemoveAttribute,
};
use supermega_protocol::wire::{self, Grammar};
use supermega_protocol::{
    Command, CommandVisitor, Failure, Flag, SequenceTag, StorageUrl, schema, visit_commands,
};

/// One test for each command: a request and a result with all members they can have, in the order
/// in which they are written, and further forms.
macro_rules! commands {
    ($($test:ident: $command:ty {
        requests: [$($request:literal),+ $(,)?],
        results: [$($result:literal),+ $(,)?] $(,)?
    })*) => {
        $(
            #[test]
            fn $test() {
                command::<$command>(&[$($request),+], &[$($result),+]);
            }
        )*

        /// The names of the commands that are tested above.
        const COMMANDS: &[&str] = &[$(<$command as Command>::NAME),*];
    };
}

commands! {
    us0: Prelogin {
        requests: [r#"{"a":"us0","user":"anna@example.org"}"#],
        results: [r#"{"v":2,"s":"c2FsdHNhbHRzYWx0c2FsdA"}"#, r#"{"v":1}"#],
    }
    us: Login {
        requests: [
            r#"{"a":"us","user":"anna@example.org","uh":"dWh1aHVodWh1aHVodWh1aA","mfa":"123456","sek":"c2Vrc2Vrc2Vrc2Vrc2Vrcw","si":"ZGV2aWNl","sn":"AAAAAAAAAB4","fa":1,"c":1}"#,
            r#"{"a":"us"}"#,
        ],
        results: [
            r#"{"u":"ESIzRFVmd4g","k":"a2tra2tra2tra2tra2traw","csid":"Y3NpZA","tsid":"dHNpZA","privk":"cHJpdms","sek":"c2Vrc2Vrc2Vrc2Vrc2Vrcw","ach":0,"sn":1,"fa":0}"#,
        ],
    }
    sml: Logout {
        requests: [r#"{"a":"sml"}"#],
        results: ["0"],
    }
    ug: FetchUser {
        requests: [r#"{"a":"ug","v":1}"#, r#"{"a":"ug"}"#],
        results: [
            r#"{"u":"ESIzRFVmd4g","s":1,"email":"anna@example.org","name":"Anna","k":"a2s","c":1,"pubk":"cHVi","privk":"cHJpdg","ts":"1700000000","since":1700000000,"aav":2,"aas":"YWFz","flags":{"ach":1,"jid":"00"},"b":{"s":1},"pf":{"s":2},"na":1,"ut":1,"smsv":"+49","uspw":{"dl":1},"notifs":[3],"mkt":{"n":1},"*keyring":{"av":"a3I","v":"v2"},"+puEd255":{"av":"ZWQ","v":"v3"},"^!keys":{"av":"a2V5cw","v":"v1"},"firstname":"QW5uYQ"}"#,
            r#"{"u":"ESIzRFVmd4g"}"#,
        ],
    }
    uq: FetchQuota {
        requests: [r#"{"a":"uq","strg":1,"xfer":1,"pro":1,"mstrg":1,"src":-1,"v":2}"#, r#"{"a":"uq"}"#],
        results: [
            r#"{"mstrg":53687091200,"cstrg":5,"cstrgn":{"AQIDBAUG":[5,1,2,3,4]},"uslw":9000,"usl":0,"mxfer":1,"caxfer":2,"tuo":3,"csxfer":4,"tua":5,"rua":6,"ruo":7,"tar":8,"bt":9,"tah":[0,1],"rtt":0,"srvratio":25.5,"utype":1,"suntil":1800000000,"balance":[["9.99","EUR"]],"subs":[{"id":"s"}],"plans":[{"al":1}],"features":[[1,"vpn"]]}"#,
            "{}",
        ],
    }
    up: UpdateUser {
        requests: [
            r#"{"a":"up","k":"a2s","ts":"dHM","privk":"cHJpdg","pubk":"cHVi","crv":"Y3J2","uh":"dWg","mfa":"123456","c":"code","name":"Anna","terms":"Mq","firstname":"QQ","lastname":"Qg","name2":"Qw","i":"abc"}"#,
        ],
        results: [r#""ESIzRFVmd4g""#],
    }
    usl: ListSessions {
        requests: [r#"{"a":"usl","x":1,"d":1}"#, r#"{"a":"usl"}"#],
        results: [r#"[[1700000000,1700000100,"SuperMEGA/1","192.0.2.1","NZ",1,"ERERERERERE",1,"ZGV2aWNl"],[1700000000,1700000100,"megatools","192.0.2.1","NZ",0,"ERERERERERI",0]]"#, r#"[[1700000000,1700000100,"SuperMEGA/1","192.0.2.1","NZ",1]]"#],
    }
    usr: EndSessions {
        requests: [r#"{"a":"usr","ko":1,"s":["ERERERERERE"]}"#],
        results: ["0"],
    }
    avu: UpgradeAccount {
        requests: [r#"{"a":"avu","emk":"ZW1r","hak":"aGFr","crv":"Y3J2"}"#],
        results: ["0"],
    }
    gmf: FetchFlags {
        requests: [r#"{"a":"gmf"}"#],
        results: [r#"{"nlfe":1,"mfae":1,"ach":0,"mcs":0,"ssrs":1}"#, "{}"],
    }
    whyamiblocked: FetchBlockReason {
        requests: [r#"{"a":"whyamiblocked"}"#],
        results: ["200", "0"],
    }
    wmip: service::FetchAddress {
        requests: [r#"{"a":"wmip"}"#],
        results: [r#"{"cc":"NZ","ip":"192.0.2.1"}"#],
    }
    qbq: QueryTransferQuota {
        requests: [r#"{"a":"qbq","s":7}"#],
        results: ["1", "0"],
    }
    sf: ListBackups {
        requests: [r#"{"a":"sf"}"#],
        results: [r#"[{"id":"ERERERERERE","t":2,"h":"AQIDBAUG","l":"bA","d":"ZGV2aWNl","dua":"SuperMEGA/1","s":1,"ss":0,"e":"bmFtZQ","hb":{"ts":1700000000,"s":2,"p":50,"qu":1,"qd":0,"lts":1700000001,"lh":"BQYHCAkK"}}]"#, "[]"],
    }
    sp: PutBackup {
        requests: [r#"{"a":"sp","id":"ERERERERERE","t":2,"h":"AQIDBAUG","l":"bA","d":"ZGV2aWNl","dr":"ZHJpdmU","s":1,"ss":0,"e":"bmFtZQ"}"#],
        results: [r#""ERERERERERE""#],
    }
    sphb: PutHeartbeat {
        requests: [r#"{"a":"sphb","id":"ERERERERERE","s":2,"p":50,"qu":1,"qd":0,"lts":1700000001,"lh":"BQYHCAkK"}"#],
        results: ["0"],
    }
    sr: RemoveBackup {
        requests: [r#"{"a":"sr","id":"ERERERERERE"}"#],
        results: ["0"],
    }
    upr: RemoveAttribute {
        requests: [r#"{"a":"upr","ua":"^!prd"}"#],
        results: ["0"],
    }
    uga: FetchAttribute {
        requests: [r#"{"a":"uga","u":"ESIzRFVmd4g","ua":"+puEd255","v":1}"#, r#"{"a":"uga","ua":"^!keys"}"#],
        results: [r#"{"av":"ZWQ","v":"v3"}"#, r#""ZWQ""#],
    }
    up2: PutAttributes {
        requests: [r#"{"a":"up2","^!prd":"cHJk","firstname":"QW5uYQ"}"#],
        results: [r#"{"^!prd":"p1","firstname":"p2"}"#],
    }
    upv: PutVersionedAttributes {
        requests: [r#"{"a":"upv","+puEd255":["ZWQ"],"^!keys":["a2V5cw","v1"]}"#],
        results: [r#"{"+puEd255":"w1","^!keys":"w2"}"#],
    }
    f: FetchNodes {
        requests: [r#"{"a":"f","c":1,"r":1,"ca":1,"n":"BAUGBwgJ","part":1,"f":1,"p":"CAkKCwwN"}"#, r#"{"a":"f"}"#],
        results: [
            r#"{"ok0":[{"h":"BAUGBwgJ","ha":"aGE","k":"c2s"}],"ok":[],"f":[{"h":"AQIDBAUG","p":"","u":"ESIzRFVmd4g","t":2,"a":"","k":"","ts":1},{"h":"BQYHCAkK","p":"AQIDBAUG","u":"ESIzRFVmd4g","t":0,"a":"YXQ","k":"ESIzRFVmd4g:a2s","s":7,"ts":2,"fa":"7:0*eA","su":"ESIzRFVmd4g","r":2,"sk":"c2s","sts":3,"i":0}],"f2":[{"h":"BgcICQoL","p":"BQYHCAkK","t":0,"a":"YXQ","k":"a2s","s":1}],"s":[{"h":"BAUGBwgJ","u":"EXP","r":0,"ts":4}],"ps":[{"h":"BAUGBwgJ","p":"ESIzRFVmd4g","r":0,"ts":4}],"u":[{"u":"ESIzRFVmd4g","c":2,"m":"anna@example.org","ts":5,"pubk":"cHVi","+puEd255":"ZWQ","+puCu255":"Y3U","+sigPubk":"czE","+sigCu255":"czI","b":{"m":0}}],"ph":[{"h":"BQYHCAkK","ph":"CAkKCwwN","ts":6,"ets":7,"w":"dw","down":0}],"ipc":[{"p":"ESIzRFVmd4g","m":"ben@example.org","ts":1}],"opc":[{"p":"ESIzRFVmd4g","e":"anna@example.org","m":"ben@example.org","ts":2}],"aesp":{},"mcf":{},"mcna":[],"mcpna":{},"mcsm":[],"st":"0000000001","sn":"AAAAAAAAAB4"}"#,
            r#"{"f":[]}"#,
        ],
    }
    p: PutNodes {
        requests: [
            r#"{"a":"p","t":"AQIDBAUG","n":[{"h":"AAAAAAAA","t":1,"a":"YXQ","k":"a2s"},{"h":"dG9rZW50b2tlbnRva2VudG9rZW50b2tlbnRva2Vu","p":"AAAAAAAA","t":0,"a":"YXQ","k":"a2s","fa":"7:0*eA","ov":"BgcICQoL"},{"ph":"CAkKCwwN","t":0,"a":"YXQ","k":"a2s"}],"v":4,"sm":1,"vb":0,"vw":1,"p":"U.fD.","cr":[["BAUGBwgJ"],[],[0,1,"Y3I"]],"cauth":"Y2g","cip":"192.0.2.7:1","i":"abc"}"#,
            r#"{"a":"p","t":"ESIzRFVmd4g","n":[]}"#,
            r#"{"a":"p","t":"ben@example.org","n":[]}"#,
        ],
        results: [
            r#"{"f":[{"h":"BQYHCAkK","p":"AQIDBAUG","t":1,"a":"YXQ","k":"a2s"}],"f2":[],"e":{"1":-11},"fh":["BQYHCAkK:AAAAAAAAAAE"]}"#,
            r#"{"e":[],"fh":[]}"#,
        ],
    }
    a: SetAttributes {
        requests: [r#"{"a":"a","n":"BQYHCAkK","at":"YXQ","key":"a2s","vw":1,"i":"abc"}"#],
        results: ["0"],
    }
    m: MoveNode {
        requests: [r#"{"a":"m","n":"BQYHCAkK","t":"BAUGBwgJ","cr":[["BAUGBwgJ"],["BQYHCAkK"],[0,0,"Y3I"]],"vw":1,"i":"abc"}"#],
        results: ["0"],
    }
    d: DeleteNode {
        requests: [r#"{"a":"d","n":"BQYHCAkK","v":1,"vw":1,"i":"abc"}"#],
        results: ["0"],
    }
    uc2: RequestSignup {
        requests: [r#"{"a":"uc2","n":"QW5uYQ","m":"YW5uYUBleGFtcGxlLm9yZw","crv":"Y3J2Y3J2Y3J2Y3J2Y3J2Yw","hak":"aGFraGFraGFraGFraGFraA","k":"a2tra2tra2tra2tra2traw","v":2,"p":"ref"}"#, r#"{"a":"uc2","n":"QW5uYQ","m":"YW5uYUBleGFtcGxlLm9yZw","v":2}"#],
        results: ["0"],
    }
    ud2: ConfirmSignup {
        requests: [r#"{"a":"ud2","c":"Q29uZmlybUNvZGVWMg"}"#],
        results: [r#"["YW5uYUBleGFtcGxlLm9yZw","QW5uYQ","ESIzRFVmd4g",2]"#],
    }
    ucr: CancelSignup {
        requests: [r#"{"a":"ucr"}"#],
        results: ["0"],
    }
    mfag: FetchSecondFactor {
        requests: [r#"{"a":"mfag","e":"anna@example.org"}"#],
        results: ["1", "0"],
    }
    mfas: SetSecondFactor {
        requests: [r#"{"a":"mfas","mfa":"123456"}"#, r#"{"a":"mfas"}"#],
        results: [r#""GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ""#, "0"],
    }
    mfad: RemoveSecondFactor {
        requests: [r#"{"a":"mfad","mfa":"123456"}"#],
        results: ["0"],
    }
    erm: RequestMail {
        requests: [r#"{"a":"erm","m":"anna@example.org","t":21,"mfa":"123456"}"#, r#"{"a":"erm","m":"anna@example.org","t":9}"#],
        results: ["0"],
    }
    erv: FetchMailCode {
        requests: [r#"{"a":"erv","c":"Y29kZQ"}"#],
        results: [r#"[9,"anna@example.org","192.0.2.1",1700000000,"ESIzRFVmd4g",["anna@example.org"]]"#],
    }
    erx: UseMailCode {
        requests: [r#"{"a":"erx","r":"sk","c":"Y29kZQ","x":"a2tra2tra2tra2tra2traw","y":{"crv":"Y3J2Y3J2Y3J2Y3J2Y3J2Yw","hak":"aGFraGFraGFraGFraGFraA"},"z":"enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6eno"}"#, r#"{"a":"erx","r":"gk","c":"Y29kZQ"}"#, r#"{"a":"erx","c":"Y29kZQ","x":"a2tra2tra2tra2tra2traw","y":"dWh1aHVodWg"}"#],
        results: [r#""AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA""#, "0"],
    }
    se: RequestEmailChange {
        requests: [r#"{"a":"se","aa":"a","e":"anna@example.net","mfa":"123456"}"#, r#"{"a":"se","aa":"r","e":"anna@example.net"}"#],
        results: ["0"],
    }
    sec: ConfirmEmailChange {
        requests: [r#"{"a":"sec","c":"Y29kZQ","e":"anna@example.net","uh":"dWh1aHVodWg","r":1,"i":"abc"}"#],
        results: ["0"],
    }
    clc: MakeContactLink {
        requests: [r#"{"a":"clc"}"#],
        results: [r#""CAkKCwwN""#],
    }
    clr: RenewContactLink {
        requests: [r#"{"a":"clr"}"#],
        results: [r#""CAkKCwwN""#],
    }
    clg: FetchContactLink {
        requests: [r#"{"a":"clg","cl":"CAkKCwwN","b":1}"#],
        results: [r#"{"h":"ESIzRFVmd4g","e":"anna@example.org","fn":"QW5uYQ","ln":"Qg"}"#],
    }
    cld: RemoveContactLink {
        requests: [r#"{"a":"cld","cl":"CAkKCwwN"}"#, r#"{"a":"cld"}"#],
        results: ["0"],
    }
    pli: FetchLink {
        requests: [r#"{"a":"pli","ph":"CAkKCwwN"}"#],
        results: [r#"{"attrs":"t88PlS1tvaIeGzEQM0a2Q3mtU9H9v3E1kkQo8S2","ph":"CAkKCwwN","u":"ESIzRFVmd4g","s":[5,1,2,3,4],"k":"AQIDBAUG:UcVjgTHXUHv3Ui_w8id7tA"}"#],
    }
    dv: DeleteVersions {
        requests: [r#"{"a":"dv"}"#],
        results: ["0"],
    }
    dr: EmptyTrash {
        requests: [r#"{"a":"dr"}"#],
        results: ["0"],
    }
    k: SetKeys {
        requests: [r#"{"a":"k","nk":["AQIDBAUG","UcVjgTHXUHv3Ui_w8id7tA"],"cr":[["BQYHCAkK"],["AQIDBAUG"],[0,0,"a2V5"]],"i":"abc"}"#],
        results: ["0"],
    }
    l: SetLink {
        requests: [r#"{"a":"l","n":"BQYHCAkK","d":1,"ets":7,"w":1,"sk":"c2s","i":"abc"}"#],
        results: [r#"{"ph":"CAkKCwwN","w":"dw"}"#, r#""CAkKCwwN""#, "0"],
    }
    s2: SetShare {
        requests: [r#"{"a":"s2","n":"BAUGBwgJ","s":[{"u":"EXP","r":0},{"u":"ben@example.org","r":2,"k":"a2s"},{"u":"ESIzRFVmd4g"},{"u":"EXP","r":""}],"ok":"b2s","ha":"aGE","cr":[["BAUGBwgJ"],["BAUGBwgJ"],[0,0,"Y3I"]],"e":"Anna","msg":"Hello","i":"abc"}"#],
        results: [r#"{"r":[0,-9],"u":[{"u":"ESIzRFVmd4g","m":"ben@example.org"}],"ok":"b2s"}"#],
    }
    pk: HandOverKeys {
        requests: [
            r#"{"a":"pk","u":"ESIzRFVmd4g","h":"BAUGBwgJ","k":"a2s","d":"17"}"#,
            r#"{"a":"pk"}"#,
        ],
        results: [r#"{"d":"17","ESIzRFVmd4g":{"BAUGBwgJ":"a2s"}}"#, "0"],
    }
    upc: Invite {
        requests: [
            r#"{"a":"upc","u":"ben@example.org","aa":"a","e":"anna@example.org","msg":"Hello","cl":"CAkKCwwN","i":"abc"}"#,
            r#"{"a":"upc","u":"ben@example.org","aa":"r"}"#,
        ],
        results: [
            r#"{"p":"ESIzRFVmd4g","e":"anna@example.org","m":"ben@example.org","ts":1,"uts":2,"rts":2,"dts":3,"msg":"Hello"}"#,
            "0",
        ],
    }
    upca: AnswerInvitation {
        requests: [r#"{"a":"upca","p":"ESIzRFVmd4g","aa":"i","i":"abc"}"#],
        results: ["0"],
    }
    ur2: SetContact {
        requests: [r#"{"a":"ur2","u":"ESIzRFVmd4g","l":0,"i":"abc"}"#, r#"{"a":"ur2","u":"ben@example.org","l":0}"#],
        results: [r#"{"u":"ESIzRFVmd4g","m":"ben@example.org"}"#],
    }
    ur: SetContactOld {
        requests: [r#"{"a":"ur","u":"ESIzRFVmd4g","l":0,"i":"abc"}"#],
        results: [r#"{"u":"ESIzRFVmd4g","m":"ben@example.org"}"#],
    }
    uk: FetchPublicKey {
        requests: [r#"{"a":"uk","u":"ben@example.org"}"#],
        results: [r#"{"u":"ESIzRFVmd4g","pubk":"cHVi"}"#],
    }
    uge: FetchAddress {
        requests: [r#"{"a":"uge","u":"ESIzRFVmd4g"}"#],
        results: [r#""ben@example.org""#],
    }
    g: RequestDownload {
        requests: [r#"{"a":"g","n":"BQYHCAkK","p":"CAkKCwwN","g":1,"v":2,"ssl":2,"ssm":1,"esid":"ZXNpZA","en":"CAkKCwwN","cauth":"Y2g"}"#],
        results: [
            r#"{"s":7,"at":"YXQ","g":["http://a/","http://b/","http://c/","http://d/","http://e/","http://f/"],"ip":["192.0.2.1","::1"],"fa":"7:0*eA","fh":"AAAAAAAAAAE","e":-17,"tl":60,"d":1,"efq":1}"#,
            r#"{"s":7,"at":"YXQ","g":"http://a/"}"#,
        ],
    }
    u: RequestUpload {
        requests: [r#"{"a":"u","s":7,"ssl":2,"v":3,"t":["AQIDBAUG"],"ms":0,"r":0,"e":0}"#, r#"{"a":"u","s":7,"t":"AQIDBAUG"}"#],
        results: [r#"{"p":"http://u/","ip":["192.0.2.1","::1"]}"#],
    }
    ufa: RequestFileAttributes {
        requests: [r#"{"a":"ufa","s":7,"h":"BQYHCAkK","fah":"PwbhUWjXCEU","ssl":2,"r":1,"v":3}"#, r#"{"a":"ufa","fah":"PwbhUWjXCEU","ssl":2,"r":1,"v":3}"#],
        results: [r#"{"p":"http://a/","ip":["192.0.2.1","::1"]}"#],
    }
    pfa: PutFileAttributes {
        requests: [r#"{"a":"pfa","n":"BQYHCAkK","fa":"0*PwbhUWjXCEU","i":"abc"}"#],
        results: [r#""7:0*PwbhUWjXCEU/7:8*AAAAAAAAAAA""#],
    }
}

/// One test for each packet.
macro_rules! packets {
    ($($test:ident: $name:literal [$($packet:literal),+ $(,)?])*) => {
        $(
            #[test]
            fn $test() {
                packet($name, &[$($packet),+]);
            }
        )*

        /// The names of the packets that are tested above.
        const PACKETS: &[&str] = &[$($name),*];
    };
}

packets! {
    packet_t: "t" [r#"{"a":"t","i":"abc","st":"01","t":{"f":[{"h":"BQYHCAkK","p":"AQIDBAUG","t":1,"a":"YXQ","k":"a2s","i":0}],"f2":[{"h":"BgcICQoL","p":"BQYHCAkK","t":0,"a":"YXQ","k":"a2s","s":1}],"u":[{"u":"ESIzRFVmd4g"}]},"u":[{"u":"ESIzRFVmd4g","c":1}],"ou":"ESIzRFVmd4g"}"#]
    packet_d: "d" [r#"{"a":"d","i":"abc","st":"01","n":"BQYHCAkK","m":1,"v":1,"ou":"ESIzRFVmd4g"}"#]
    packet_u: "u" [r#"{"a":"u","i":"abc","st":"01","n":"BQYHCAkK","u":"ESIzRFVmd4g","at":"YXQ","ts":1,"cr":[[],[],[]]}"#]
    packet_fa: "fa" [r#"{"a":"fa","i":"abc","st":"01","n":"BQYHCAkK","fa":"7:0*eA","ou":"ESIzRFVmd4g"}"#]
    packet_s2: "s2" [r#"{"a":"s2","i":"abc","st":"01","n":"BAUGBwgJ","o":"ESIzRFVmd4g","u":"EXP","p":"cGNy","op":1,"r":0,"ts":1,"ok":"b2s","ha":"aGE","k":"a2s","okd":1,"ou":"ESIzRFVmd4g"}"#]
    packet_ph: "ph" [r#"{"a":"ph","i":"abc","st":"01","h":"BQYHCAkK","ph":"CAkKCwwN","n":1,"u":1,"d":1,"down":0,"ts":1,"ets":2,"w":"dw"}"#]
    packet_ua: "ua" [r#"{"a":"ua","i":"abc","st":"01","u":"ESIzRFVmd4g","ua":["^!keys"],"v":["w1"]}"#]
    packet_c: "c" [r#"{"a":"c","i":"abc","st":"01","u":[{"u":"ESIzRFVmd4g","c":0}],"ou":"ESIzRFVmd4g"}"#]
    packet_ipc: "ipc" [r#"{"a":"ipc","i":"abc","st":"01","p":"ESIzRFVmd4g","m":"ben@example.org","ts":1,"uts":2,"rts":2,"dts":3,"msg":"Hello","clv":1,"ps":1}"#]
    packet_opc: "opc" [r#"{"a":"opc","i":"abc","st":"01","p":"ESIzRFVmd4g","e":"anna@example.org","m":"ben@example.org","ts":1,"uts":2,"rts":2,"dts":3,"msg":"Hello"}"#]
    packet_upci: "upci" [r#"{"a":"upci","i":"abc","st":"01","p":"ESIzRFVmd4g","m":"ben@example.org","uts":1,"s":2,"ou":"ESIzRFVmd4g"}"#]
    packet_upco: "upco" [r#"{"a":"upco","i":"abc","st":"01","p":"ESIzRFVmd4g","m":"ben@example.org","uts":1,"s":1,"ou":"ESIzRFVmd4g"}"#]
    packet_uac: "uac" [r#"{"a":"uac","i":"abc","st":"01","m":"anna@example.org"}"#]
    packet_se: "se" [r#"{"a":"se","i":"abc","st":"01","e":"anna@example.net","u":"ESIzRFVmd4g","s":3}"#]
    packet_k: "k" [r#"{"a":"k","i":"abc","st":"01","cr":[["BAUGBwgJ"],["AQIDBAUG"],[0,0,"Y3I"]],"sr":["BAUGBwgJ"],"h":"BAUGBwgJ","n":["AQIDBAUG"]}"#, r#"{"a":"k"}"#]
    packet_pk: "pk" [r#"{"a":"pk","i":"abc","st":"01"}"#, r#"{"a":"pk"}"#]
}

#[test]
fn no_command_and_no_packet_is_left_out() {
    struct Names(BTreeSet<&'static str>);
    impl CommandVisitor for Names {
        fn visit<C: Command>(&mut self) {
            self.0.insert(C::NAME);
        }
    }
    let mut names = Names(BTreeSet::new());
    visit_commands(&mut names);
    assert_eq!(names.0, COMMANDS.iter().copied().collect());

    let files = schema::files();
    let packets = files.keys().filter_map(|path| path.strip_prefix("packets/"));
    let packets: BTreeSet<_> = packets.map(|name| name.trim_end_matches(".json")).collect();
    assert_eq!(packets, PACKETS.iter().copied().collect());
}

#[test]
fn a_request_starts_with_its_name() {
    let body = wire::encode_batch(&[
        wire::encode_command(&Logout {}).unwrap(),
        wire::encode_command(&Prelogin { user: "me@example.org".into() }).unwrap(),
    ]);
    assert_eq!(body, r#"[{"a":"sml"},{"a":"us0","user":"me@example.org"}]"#);
}

#[test]
fn a_packet_starts_with_name_originator_and_tag() {
    let node = "BQYHCAkK".parse().unwrap();
    let body = PacketBody::Removed(RemovedNode { n: node, m: None, v: None, ou: None });
    let tag = Some(SequenceTag("0000000004".into()));
    let whole = ActionPacket { originator: Some("abc".into()), tag: tag.clone(), body };
    assert_eq!(whole.encode().unwrap(), r#"{"a":"d","i":"abc","st":"0000000004","n":"BQYHCAkK"}"#);
    let without_originator = ActionPacket { originator: None, ..whole };
    assert_eq!(
        without_originator.encode().unwrap(),
        r#"{"a":"d","st":"0000000004","n":"BQYHCAkK"}"#
    );
    let bare = PacketBody::PendingKeys(PendingKeys {});
    let bare = ActionPacket { originator: None, tag, body: bare };
    assert_eq!(bare.encode().unwrap(), r#"{"a":"pk","st":"0000000004"}"#);
}

#[test]
fn the_cursor_ends_answers_of_events_and_trees() {
    let cursor = Some("AAAAAAAAAB4".parse().unwrap());
    let packet = PacketBody::PendingKeys(PendingKeys {});
    let reply = EventReply::Events(Events {
        a: Some(vec![ActionPacket { originator: None, tag: None, body: packet }]),
        w: Some(StorageUrl::new("http://h/w/1".into())),
        ir: Flag::SET,
        sn: cursor,
    });
    let text = r#"{"a":[{"a":"pk"}],"w":"http://h/w/1","ir":1,"sn":"AAAAAAAAAB4"}"#;
    assert_eq!(reply.encode().unwrap(), text);
    assert_eq!(EventReply::decode(text).unwrap().value, reply);

    let tree = Tree {
        sn: cursor,
        st: Some(SequenceTag("01".into())),
        u: Some(Vec::new()),
        ..Tree::default()
    };
    let text = wire::encode_result::<FetchNodes>(&Ok(tree), None, Grammar::V3).unwrap();
    assert_eq!(text, r#"{"f":[],"u":[],"st":"01","sn":"AAAAAAAAAB4"}"#);
}

#[test]
fn a_tag_wraps_what_changed_something_and_nothing_else() {
    let tag = SequenceTag("0000000005".into());
    let link = || Ok(LinkReply::Made("CAkKCwwN".parse().unwrap()));
    let v3 = |tag| wire::encode_result::<SetLink>(&link(), tag, Grammar::V3).unwrap();
    assert_eq!(v3(Some(&tag)), r#"["0000000005","CAkKCwwN"]"#);
    assert_eq!(v3(None), r#"[0,"CAkKCwwN"]"#);
    let legacy = wire::encode_result::<SetLink>(&link(), Some(&tag), Grammar::Legacy).unwrap();
    assert_eq!(legacy, r#""CAkKCwwN""#);
    let removed =
        wire::encode_result::<SetLink>(&Ok(LinkReply::Removed), Some(&tag), Grammar::V3).unwrap();
    assert_eq!(removed, r#""0000000005""#);
    let removed = wire::decode_result::<SetLink>(&removed).unwrap();
    assert_eq!((removed.value, removed.tag.as_ref()), (LinkReply::Removed, Some(&tag)));
    assert_eq!(wire::decode_result::<SetLink>(r#""CAkKCwwN""#).unwrap().tag, None);
    let tree = wire::encode_result::<FetchNodes>(&Ok(Tree::default()), Some(&tag), Grammar::V3);
    assert_eq!(tree.unwrap(), r#"{"f":[]}"#);
}

/// Reads and writes the forms of a command in every grammar; the first ones have every member.
fn command<C: Command>(requests: &[&str], results: &[&str]) {
    let files = schema::files();
    for request in requests {
        let decoded = wire::decode_command::<C>(request).unwrap();
        assert_eq!(decoded.drift, [], "{request}");
        assert_eq!(wire::encode_command(&decoded.value).unwrap(), *request);
    }
    complete(requests[0], &files[&format!("commands/{}.request.json", C::NAME)], &["attr"]);
    let tag = SequenceTag("0000000005".into());
    for result in results {
        let read = |text: &str| {
            let decoded = wire::decode_result::<C>(text).unwrap();
            assert_eq!(decoded.drift, [], "{text}");
            (decoded.value, decoded.tag)
        };
        let write = |value, tag, grammar| {
            wire::encode_result::<C>(&Ok::<_, Failure>(value), tag, grammar).unwrap()
        };
        assert_eq!(write(read(result).0, Some(&tag), Grammar::Legacy), *result);
        let v3 = write(read(result).0, Some(&tag), Grammar::V3);
        let (value, met) = read(&v3);
        if C::TAGGED && *result != "0" {
            assert_eq!(v3, format!(r#"["0000000005",{result}]"#));
        }
        assert_eq!(met, C::TAGGED.then(|| tag.clone()), "{result}");
        assert_eq!(write(value, None, Grammar::Legacy), *result);
    }
    complete(results[0], &files[&format!("commands/{}.result.json", C::NAME)], &["r"]);
}

/// Reads and writes the forms of a packet; the first one has every member.
fn packet(name: &str, packets: &[&str]) {
    for text in packets {
        let decoded = ActionPacket::decode(text).unwrap();
        assert_eq!(decoded.drift, [], "{text}");
        assert_eq!(decoded.value.body.name(), name);
        assert!(!matches!(decoded.value.body, PacketBody::Unknown(_)), "{text}");
        assert_eq!(decoded.value.encode().unwrap(), *text);
    }
    complete(packets[0], &schema::files()[&format!("packets/{name}.json")], &[]);
}

/// Checks that a text has every member that its schema knows, but for those that are only read.
fn complete(text: &str, schema: &Value, only_read: &[&str]) {
    let value: Value = serde_json::from_str(text).unwrap();
    let known = schema["properties"].as_object().into_iter().flat_map(|members| members.keys());
    for member in known {
        let there = value.get(member).is_some() || only_read.contains(&member.as_str());
        assert!(there, "the round trip lacks `{member}` in {text}");
    }
}
