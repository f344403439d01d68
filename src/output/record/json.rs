//! Lines that are JSON objects, for `--parse json`.
//!
//! Such a line becomes part of its record as it stands. JSON's grammar allows some of what most parsers refuse: half
//! of a surrogate pair, a number beyond all measure, nesting without end. A log must not be able to make its readers
//! refuse a record, so these are refused here, and the record has them as text alone.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// How many levels of objects and arrays a line may have: with the record around them, no more than `serde_json`,
/// which has the tightest limit of the common parsers, reads.
const LEVELS: usize = 126;

/// Finds the object that a line consists of, without the blanks around it.
///
/// # Errors
/// What is wrong with the line, in words.
pub(super) fn object(line: &str) -> Result<&str, String> {
    let mut parser = serde_json::Deserializer::from_str(line);
    let parsed = Sound { levels: LEVELS }.deserialize(&mut parser).and_then(|()| parser.end());
    parsed.map_err(|error| error.to_string())?;
    let value = line.trim_ascii();
    if value.starts_with('{') { Ok(value) } else { Err("not an object".to_owned()) }
}

/// Any JSON value that every parser can read; it is looked at and not kept.
#[derive(Clone, Copy)]
struct Sound {
    /// How many levels there may be in it.
    levels: usize,
}

impl Sound {
    /// What may stand in an array or object that stands here.
    fn within<E: Error>(self) -> Result<Self, E> {
        let levels = self.levels.checked_sub(1).ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Self { levels })
    }
}

impl<'de> DeserializeSeed<'de> for Sound {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Sound {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        let element = self.within()?;
        while array.next_element_seed(element)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let member = self.within()?;
        while object.next_entry_seed(member, member)?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_found_between_blanks() {
        assert_eq!(object(r#"{"a":[1,-2,3.5,true,null,"x"]}"#), Ok(r#"{"a":[1,-2,3.5,true,null,"x"]}"#));
        assert_eq!(object(" \t{ \"a\" : {} }\r"), Ok(r#"{ "a" : {} }"#));
    }

    #[test]
    fn other_values_are_no_objects() {
        for line in ["1", "null", "\"{}\"", "[{}]", " true "] {
            assert_eq!(object(line), Err("not an object".to_owned()), "{line}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused_in_the_parsers_words() {
        assert_eq!(object(""), Err("EOF while parsing a value at line 1 column 0".to_owned()));
        assert_eq!(object("GET / 200"), Err("expected value at line 1 column 1".to_owned()));
        assert_eq!(object(r#"{"a":1} x"#), Err("trailing characters at line 1 column 9".to_owned()));
        assert_eq!(object("\u{a0}{}"), Err("expected value at line 1 column 1".to_owned()));
    }

    #[test]
    fn what_a_reader_might_refuse_is_refused() {
        for line in [r#"{"a":"\ud800"}"#, r#"{"\udc00":1}"#, r#"{"a":1e999}"#] {
            assert!(object(line).is_err(), "{line}");
        }
    }

    #[test]
    fn an_object_may_be_nested_as_deeply_as_its_record_can_be_read() {
        let nested = |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
        let record = |levels| format!(r#"{{"fields":{}}}"#, nested(levels));
        assert!(object(&nested(LEVELS)).is_ok());
        assert!(serde_json::from_str::<serde_json::Value>(&record(LEVELS)).is_ok());
        assert!(object(&nested(LEVELS + 1)).is_err_and(|error| error.starts_with("nested too deeply")));
        assert!(serde_json::from_str::<serde_json::Value>(&record(LEVELS + 1)).is_err());
        assert!(object(&nested(1_000_000)).is_err());
    }
}
