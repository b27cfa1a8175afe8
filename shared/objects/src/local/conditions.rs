//! The conditions of a request: only this object, or only a new one.

use s3s::dto::{ETag, ETagCondition, GetObjectInput, PutObjectInput};
use s3s::{S3Result, s3_error};

/// What has to be there, or not, before an object is written.
#[derive(Debug)]
pub(super) struct Wanted {
    matching: Option<ETagCondition>,
    not_matching: Option<ETagCondition>,
}

impl Wanted {
    /// Takes the conditions off a request: where it waits, they would speak of nothing.
    pub(super) fn of(input: &mut PutObjectInput) -> Self {
        Self {
            matching: input.if_match.take(),
            not_matching: input.if_none_match.take(),
        }
    }

    pub(super) fn is_anything(&self) -> bool {
        self.matching.is_none() && self.not_matching.is_none()
    }

    /// `found` is the tag of the object that is there, if one is.
    pub(super) fn check(&self, found: Option<&ETag>) -> S3Result<()> {
        let fits = |condition: &ETagCondition| {
            found.is_some_and(|found| {
                let same = |wanted: &ETag| wanted.strong_cmp(found);
                condition.is_any() || condition.as_etag().is_some_and(same)
            })
        };
        let lacks = self.matching.as_ref().is_some_and(|wanted| !fits(wanted));
        if lacks || self.not_matching.as_ref().is_some_and(fits) {
            return Err(s3_error!(PreconditionFailed));
        }
        Ok(())
    }
}

/// Whether a read is wanted of what is there.
pub(super) fn check_conditions(input: &GetObjectInput, etag: Option<&ETag>) -> S3Result<()> {
    let matches = |condition: &ETagCondition| {
        condition.is_any()
            || condition
                .as_etag()
                .zip(etag)
                .is_some_and(|(wanted, found)| wanted.weak_cmp(found))
    };
    if input
        .if_match
        .as_ref()
        .is_some_and(|condition| !matches(condition))
    {
        return Err(s3_error!(PreconditionFailed));
    }
    if input.if_none_match.as_ref().is_some_and(matches) {
        return Err(s3_error!(NotModified));
    }
    Ok(())
}
