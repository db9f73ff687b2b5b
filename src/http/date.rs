//! The `Date` field (RFC 9110 §5.6.7 and §6.6.1), from seconds that the caller read off its clock.
//!
//! Rendered once and copied into every response of that second.

/// A moment as an IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`.
///
/// ```
/// use wsrelay::http::Date;
/// assert_eq!(Date::from_unix(784_111_777).as_bytes(), b"Sun, 06 Nov 1994 08:49:37 GMT");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date([u8; 29]);

impl Date {
    /// From seconds since 1970-01-01T00:00:00Z. The format has four digits for a year, so
    /// everything after 9999 is the last second of it.
    pub fn from_unix(seconds: u64) -> Self {
        let seconds = seconds.min(LAST_SECOND);
        let (days, second_of_day) = (seconds / DAY_SECONDS, seconds % DAY_SECONDS);
        let (year, month, day) = civil(days);
        let mut text = *b"Ddd, 00 Mmm 0000 00:00:00 GMT";
        // 1970-01-01 was a Thursday, and the table starts with it.
        text[0..3].copy_from_slice(WEEKDAYS[(days % 7) as usize]);
        digits(&mut text[5..7], day);
        text[8..11].copy_from_slice(MONTHS[month]);
        digits(&mut text[12..16], year);
        digits(&mut text[17..19], second_of_day / 3600);
        digits(&mut text[20..22], second_of_day / 60 % 60);
        digits(&mut text[23..25], second_of_day % 60);
        Self(text)
    }

    /// The 29 characters of the field value.
    pub fn as_bytes(&self) -> &[u8; 29] {
        &self.0
    }
}

/// Year, month (0 is January) and day (1–31) of a day counted from 1970-01-01, in the Gregorian calendar.
///
/// Counts years from March, so that the leap day is the last of its year: then a day of the year
/// gives month and day by arithmetic alone, months from March having 31, 30, 31, 30, 31 days over and
/// over, which is 153 in every five.
fn civil(days: u64) -> (u64, usize, u64) {
    let since_march_0000 = days + 719_468;
    let era = since_march_0000 / ERA_DAYS;
    let day_of_era = since_march_0000 % ERA_DAYS;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / (ERA_DAYS - 1)) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_since_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months_since_march + 2) / 5 + 1;
    let month = ((months_since_march + 2) % 12) as usize;
    let year = era * 400 + year_of_era + u64::from(month < 2);
    (year, month, day)
}

/// Writes `number` right-aligned over the zeros of `place`.
fn digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

const DAY_SECONDS: u64 = 86_400;
/// Days in 400 years, after which the calendar repeats.
const ERA_DAYS: u64 = 146_097;
/// 9999-12-31T23:59:59Z.
const LAST_SECOND: u64 = 253_402_300_799;
const WEEKDAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];
const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_render_as_imf_fixdate() {
        let rows: [(u64, &str); 12] = [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (68_169_599, "Mon, 28 Feb 1972 23:59:59 GMT"),
            (68_169_600, "Tue, 29 Feb 1972 00:00:00 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
            (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (LAST_SECOND, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (u64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ];
        for (seconds, expected) in rows {
            assert_eq!(Date::from_unix(seconds).as_bytes(), expected.as_bytes(), "{seconds}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_day_before() {
        let (mut year, mut month, mut day) = (1970, 0, 1);
        for days in 0..ERA_DAYS {
            assert_eq!(civil(days), (year, month, day));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let month_days = match month {
                1 if leap => 29,
                1 => 28,
                3 | 5 | 8 | 10 => 30,
                _ => 31,
            };
            day += 1;
            if day > month_days {
                (month, day) = (month + 1, 1);
            }
            if month > 11 {
                (year, month) = (year + 1, 0);
            }
        }
    }
}
