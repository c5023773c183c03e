//! Names of people and addresses of houses in Chinese characters, between which there are no blanks: a name begins with
//! one of few family names, and is one where a key, the head of a column or a form of address says so.

use std::ops::Range;

use super::Hit;
use super::cue::Cues;
use crate::entity::Kind;

/// Family names of one character, as common as one in a thousand people or more.
/// Ministry of Public Security, <https://www.mps.gov.cn>: report on names of 2020.
const FAMILIES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢\
    姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤\
    張劉陳楊黃趙吳孫馬鄭謝許韓馮鄧蔣蔡葉蘇呂盧鐘譚陸賈韋鄒閻龍黎賀顧龔萬錢嚴湯";

/// Those of two.
const DOUBLE: [&str; 14] = [
    "欧阳", "上官", "司马", "诸葛", "司徒", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "宇文",
    "端木", "歐陽",
];

/// Those of Japan, as common as one in five hundred people or more.
/// Meiji Yasuda Life Insurance Company, survey of family names, 2018.
const JAPANESE: [&str; 40] = [
    "佐藤",
    "鈴木",
    "高橋",
    "田中",
    "伊藤",
    "渡辺",
    "山本",
    "中村",
    "小林",
    "加藤",
    "吉田",
    "山田",
    "佐々木",
    "山口",
    "松本",
    "井上",
    "木村",
    "斎藤",
    "清水",
    "山崎",
    "池田",
    "橋本",
    "阿部",
    "石川",
    "山下",
    "中島",
    "石井",
    "小川",
    "前田",
    "岡田",
    "長谷川",
    "藤田",
    "後藤",
    "近藤",
    "村上",
    "遠藤",
    "青木",
    "坂本",
    "斉藤",
    "福田",
];

/// What the name of a value ends in that is a person.
const KEYS: &[&str] = &[
    "姓名",
    "名字",
    "客户",
    "客戶",
    "客户名称",
    "联系人",
    "聯絡人",
    "收件人",
    "收货人",
    "寄件人",
    "患者",
    "病人",
    "员工",
    "學生",
    "学生",
    "申请人",
    "持卡人",
    "经办人",
    "负责人",
    "法定代表人",
    "作者",
    "监护人",
    "乘客",
    "旅客",
    "住户",
    "户名",
    "氏名",
    "お名前",
    "名前",
];

/// What stands behind the name of a person.
const ADDRESSED: [&str; 10] = [
    "先生", "女士", "小姐", "老师", "老師", "医生", "醫生", "教授", "同学", "様",
];

/// What the name of a street ends in.
const STREETS: [char; 10] = ['路', '街', '道', '巷', '弄', '里', '村', '园', '段', '同'];

/// What a number within a house has behind it.
const PARTS: [char; 10] = ['号', '號', '栋', '幢', '座', '楼', '层', '室', '单', '元'];

fn is_han(character: char) -> bool {
    matches!(character, '\u{4e00}'..='\u{9fff}')
}

/// What of this is wanted in a text: people, and streets.
pub(super) fn find(text: &str, cues: &Cues<'_>, wants: impl Fn(Kind) -> bool, hits: &mut Vec<Hit>) {
    if text.is_ascii() {
        return;
    }
    let mut at = 0;
    while let Some(run) = next_run(text, at) {
        at = run.end;
        let Some(characters) = text.get(run.clone()) else {
            return;
        };
        if wants(Kind::Person) {
            let keyed = is_name(characters) && cues.named(run.start, KEYS);
            hits.extend(keyed.then(|| hit(text, Kind::Person, run.clone(), 0.8)));
            hits.extend(addressed(characters).into_iter().map(|name| {
                let name = run.start + name.start..run.start + name.end;
                hit(text, Kind::Person, name, 0.7)
            }));
        }
        if wants(Kind::Street) {
            hits.extend(house(text, &run).map(|house| hit(text, Kind::Street, house, 0.7)));
        }
    }
}

/// The characters from `from` on that follow each other.
fn next_run(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut start = from;
    // Most of most texts is ASCII, and is looked at many bytes at a time.
    loop {
        while bytes.get(start..start + 32).is_some_and(<[u8]>::is_ascii) {
            start += 32;
        }
        let rest = bytes.get(start..)?;
        start += rest.iter().position(|byte| !byte.is_ascii())?;
        let character = text.get(start..)?.chars().next()?;
        if is_han(character) {
            break;
        }
        start += character.len_utf8();
    }
    let run = text.get(start..)?;
    let length = run.find(|c| !is_han(c)).unwrap_or(run.len());
    Some(start..start + length)
}

/// Whether this is a family name and one or two characters more.
fn is_name(characters: &str) -> bool {
    let count = characters.chars().count();
    let starts = |families: &[&str]| families.iter().any(|family| characters.starts_with(family));
    let single = characters.starts_with(|c| FAMILIES.contains(c));
    single && (2..=3).contains(&count)
        || starts(&DOUBLE) && (3..=4).contains(&count)
        || starts(&JAPANESE) && (3..=5).contains(&count)
}

/// The names before forms of address.
fn addressed(characters: &str) -> Vec<Range<usize>> {
    let forms = ADDRESSED.iter().flat_map(|it| characters.match_indices(it));
    let mut forms: Vec<_> = forms.map(|(at, form)| at..at + form.len()).collect();
    forms.sort_unstable_by_key(|form| form.start);
    let mut names = Vec::new();
    let mut from = 0;
    for form in forms {
        let before = characters.get(from..form.start).unwrap_or_default();
        // The longest first; a family name alone is one here, too.
        let starts = before.char_indices().rev().take(4).map(|(start, _)| start);
        let named = starts.filter(|start| {
            let name = before.get(*start..).unwrap_or_default();
            let alone = name.chars().count() == 1 && name.starts_with(|c| FAMILIES.contains(c));
            alone || is_name(name)
        });
        let polite = characters.get(form.clone()) == Some("様") && from == 0;
        let whole = (polite && is_addressed(before)).then_some(0);
        let start = whole.or_else(|| named.min());
        names.extend(start.map(|start| from + start..form.start));
        from = form.end;
    }
    names
}

/// Whether all that stands before 様 is a name: it is not the end of a word such as 仕様.
fn is_addressed(before: &str) -> bool {
    let word = |c: char| "仕模同多一異有皆客奥王神仏殿姫何貴各".contains(c);
    (2..=4).contains(&before.chars().count()) && !before.ends_with(word)
}

/// The address that these characters begin: as far as the number of the house, or of what is within it.
fn house(text: &str, run: &Range<usize>) -> Option<Range<usize>> {
    let characters = text.get(run.clone())?;
    let is_region = |c: char| "省市区县區縣州".contains(c);
    if !characters.ends_with(STREETS) {
        return None;
    }
    let region = characters.find(is_region)?;
    let lead = characters.get(..region)?;
    let start = lead
        .rfind(['在', '于', '到', '至', '址', '是'])
        .map_or(0, |at| at + '在'.len_utf8());
    let rest = text.get(run.end..)?;
    let number = rest.bytes().take_while(u8::is_ascii_digit).count();
    let behind = rest.get(number..)?;
    if number == 0 || !behind.starts_with(['号', '號', '弄']) {
        return None;
    }
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || PARTS.contains(&c) || c == '弄';
    let length = rest.char_indices().take(24).find(|(_, c)| !part(*c));
    let length = length.map_or_else(
        || rest.char_indices().nth(24).map_or(rest.len(), |it| it.0),
        |it| it.0,
    );
    Some(run.start + start..run.end + length)
}

fn hit(text: &str, kind: Kind, range: Range<usize>, score: f32) -> Hit {
    Hit {
        entity: kind.entity(),
        score,
        canonical: text.get(range.clone()).unwrap_or_default().to_owned(),
        range,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut hits = Vec::new();
        find(text, &Cues::new(text, &|| None), |_| true, &mut hits);
        let values = hits.into_iter().map(|hit| hit.range);
        values.filter_map(|range| text.get(range)).collect()
    }

    #[test]
    fn names_are_found_where_something_says_that_they_are() {
        for (text, name) in [
            ("姓名：张伟，年龄：30", "张伟"),
            ("客户: 欧阳娜娜", "欧阳娜娜"),
            (r#"{"联系人": "李小龙"}"#, "李小龙"),
            ("请联系王小明先生。", "王小明"),
            ("张女士已付款", "张"),
            ("田中太郎様、ご注文", "田中太郎"),
            ("氏名: 佐藤花子", "佐藤花子"),
            ("内藤様、ご注文", "内藤"),
            ("| 姓名 | 城市 |\n|---|---|\n| 王小明 | 上海 |\n", "王小明"),
        ] {
            assert_eq!(found(text), [name], "{text}");
        }
    }

    #[test]
    fn everybody_in_a_sentence_is_found() {
        assert_eq!(found("请把文件交给张伟先生和李娜女士"), ["张伟", "李娜"]);
        assert_eq!(found("老师说王小明同学来了"), ["王小明"]);
    }

    #[test]
    fn other_words_are_no_names() {
        for text in [
            "高级设置",
            "動作仕様を見る",
            "お客様",
            "客户：全部",
            "姓名：",
            "状态：王牌用户模式",
            "医生",
            "the 张 of 10",
        ] {
            assert!(found(text).is_empty(), "{text}: {:?}", found(text));
        }
    }

    #[test]
    fn a_house_is_found_by_its_street_and_its_number() {
        for (text, house) in [
            ("地址：北京市朝阳区建国路88号", "北京市朝阳区建国路88号"),
            (
                "北京市东城区南锣鼓巷胡同12号",
                "北京市东城区南锣鼓巷胡同12号",
            ),
            (
                "他住在上海市浦东新区世纪大道100号3栋502室。",
                "上海市浦东新区世纪大道100号3栋502室",
            ),
        ] {
            assert_eq!(found(text), [house], "{text}");
        }
        for text in ["第3号", "建国路88号", "北京市有88号文件"] {
            assert!(found(text).is_empty(), "{text}: {:?}", found(text));
        }
    }
}
