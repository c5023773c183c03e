//! Characters that look like ASCII, and characters that cannot be seen.

/// What a character is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folded {
    /// Itself.
    Same,
    /// This ASCII character.
    As(char),
    /// Nothing: it cannot be seen.
    Gone,
}

/// Reads a character as a person sees it: what is invisible is gone, full-width and mathematical forms and letters of
/// other scripts that look like Latin ones are the ASCII characters that they look like.
pub(crate) fn fold(character: char) -> Folded {
    match character {
        '\0'..='\x7f' => Folded::Same,
        '\u{ad}'
        | '\u{300}'..='\u{36f}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e0fff}' => Folded::Gone,
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            Folded::As(' ')
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => Folded::As('-'),
        '\u{ff01}'..='\u{ff5e}' => shifted(character, 0xff01, '!'),
        '\u{1d400}'..='\u{1d6a3}' => letter((character as u32 - 0x1d400) % 52),
        '\u{1d7ce}'..='\u{1d7ff}' => digit((character as u32 - 0x1d7ce) % 10),
        '\u{2080}'..='\u{2089}' => digit(character as u32 - 0x2080),
        '\u{660}'..='\u{669}' => digit(character as u32 - 0x660),
        '\u{6f0}'..='\u{6f9}' => digit(character as u32 - 0x6f0),
        '\u{966}'..='\u{96f}' => digit(character as u32 - 0x966),
        '\u{2460}'..='\u{2468}' => digit(character as u32 - 0x2460 + 1),
        '\u{24b6}'..='\u{24cf}' => shifted(character, 0x24b6, 'A'),
        '\u{24d0}'..='\u{24e9}' => shifted(character, 0x24d0, 'a'),
        _ => alike(character),
    }
}

fn shifted(character: char, from: u32, to: char) -> Folded {
    match char::from_u32(character as u32 - from + to as u32) {
        Some(ascii) => Folded::As(ascii),
        None => Folded::Same,
    }
}

fn digit(value: u32) -> Folded {
    char::from_digit(value, 10).map_or(Folded::Same, Folded::As)
}

fn letter(number: u32) -> Folded {
    let (first, number) = if number < 26 {
        ('A', number)
    } else {
        ('a', number - 26)
    };
    char::from_u32(first as u32 + number).map_or(Folded::Same, Folded::As)
}

/// Letters of other scripts and letters with marks, and what they look like.
fn alike(character: char) -> Folded {
    Folded::As(match character {
        'А' | 'Α' | 'À' | 'Á' | 'Â' | 'Ã' | 'Ä' | 'Å' | 'Ā' | 'Ă' | 'Ą' => 'A',
        'В' | 'Β' => 'B',
        'С' | 'Ϲ' | 'Ç' | 'Ć' | 'Ĉ' | 'Ċ' | 'Č' => 'C',
        'Ď' | 'Đ' => 'D',
        'Е' | 'Ε' | 'È' | 'É' | 'Ê' | 'Ë' | 'Ē' | 'Ĕ' | 'Ė' | 'Ę' | 'Ě' => 'E',
        'Ĝ' | 'Ğ' | 'Ġ' | 'Ģ' | 'Ԍ' => 'G',
        'Н' | 'Η' | 'Ĥ' | 'Ħ' => 'H',
        'І' | 'Ι' | 'Ì' | 'Í' | 'Î' | 'Ï' | 'Ī' | 'Į' | 'İ' | 'Ӏ' => 'I',
        'Ј' => 'J',
        'К' | 'Κ' | 'Ķ' => 'K',
        'Ĺ' | 'Ľ' | 'Ł' => 'L',
        'М' | 'Μ' => 'M',
        'Ν' | 'Ñ' | 'Ń' | 'Ņ' | 'Ň' => 'N',
        'О' | 'Ο' | 'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ö' | 'Ø' | 'Ō' | 'Ő' => 'O',
        'Р' | 'Ρ' => 'P',
        'Ŕ' | 'Ř' => 'R',
        'Ѕ' | 'Ś' | 'Ŝ' | 'Ş' | 'Š' => 'S',
        'Т' | 'Τ' | 'Ţ' | 'Ť' => 'T',
        'Ù' | 'Ú' | 'Û' | 'Ü' | 'Ū' | 'Ů' | 'Ű' | 'Ų' => 'U',
        'Ѵ' => 'V',
        'Ŵ' => 'W',
        'Х' | 'Χ' => 'X',
        'Υ' | 'Ү' | 'Ý' | 'Ŷ' | 'Ÿ' => 'Y',
        'Ζ' | 'Ź' | 'Ż' | 'Ž' => 'Z',
        'а' | 'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' | 'ª' | 'ɑ' => 'a',
        'с' | 'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' | 'ϲ' => 'c',
        'ď' | 'đ' | 'ԁ' => 'd',
        'е' | 'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => 'e',
        'ĝ' | 'ğ' | 'ġ' | 'ģ' | 'ɡ' => 'g',
        'ĥ' | 'ħ' | 'һ' => 'h',
        'і' | 'ì' | 'í' | 'î' | 'ï' | 'ī' | 'į' | 'ı' | 'ι' => 'i',
        'ј' | 'ϳ' => 'j',
        'ķ' | 'κ' => 'k',
        'ĺ' | 'ľ' | 'ł' | 'ⅼ' => 'l',
        'ñ' | 'ń' | 'ņ' | 'ň' => 'n',
        'о' | 'ο' | 'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ő' | 'º' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'ŕ' | 'ř' => 'r',
        'ѕ' | 'ś' | 'ŝ' | 'ş' | 'š' => 's',
        'ţ' | 'ť' => 't',
        'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' | 'ų' | 'υ' => 'u',
        'ѵ' | 'ν' => 'v',
        'ŵ' | 'ԝ' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'ý' | 'ÿ' | 'ŷ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        '⁰' => '0',
        '¹' => '1',
        '²' => '2',
        '³' => '3',
        '⁴' => '4',
        '․' | '。' => '.',
        '‘' | '’' | 'ʼ' => '\'',
        '“' | '”' => '"',
        '⁄' | '∕' => '/',
        '꞉' | '︰' => ':',
        _ => return Folded::Same,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_are_read_as_what_they_look_like() {
        for (character, expected) in [
            ('Ａ', 'A'),
            ('～', '~'),
            ('а', 'a'),
            ('𝟗', '9'),
            ('𝐙', 'Z'),
            ('é', 'e'),
        ] {
            assert_eq!(fold(character), Folded::As(expected), "{character}");
        }
    }

    #[test]
    fn the_invisible_is_gone_and_the_rest_stays() {
        for character in ['\u{200b}', '\u{feff}', '\u{ad}', '\u{2060}'] {
            assert_eq!(fold(character), Folded::Gone);
        }
        for character in ['a', '§', '秘', '🙂', 'ж'] {
            assert_eq!(fold(character), Folded::Same, "{character}");
        }
    }
}
