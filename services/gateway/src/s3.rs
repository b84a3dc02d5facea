//! The operations of S3 that a lease allows; `s3s` answers 501 to all others.
//!
//! Each takes the lease that [`crate::access`] attached to the request and reads nothing outside its scope. The wire types
//! follow the S3 API reference of 2006-03-01.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use app::lease::{OpenLease, ScopeFiles};
use async_trait::async_trait;
use bytes::Bytes;
use domain::s3::{BUCKET, Region};
use domain::storage::{FileState, ReadError, Reader};
use domain::table::PinnedFile;
use futures::future::BoxFuture;
use futures::{FutureExt, Stream, TryFutureExt, TryStreamExt};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, header};
use http_body_util::StreamBody;
use hyper::body::Frame;
use s3s::dto::{
    BucketLocationConstraint, CommonPrefix, ETag, GetBucketLocationInput, GetBucketLocationOutput, GetObjectInput,
    GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object, ObjectStorageClass, StreamingBlob,
};
use s3s::{Body, S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use crate::access::Access;
use crate::condition::{self, Outcome};
use crate::listing::{self, Item, Page, Query};

const ACCEPT_RANGES: &str = "bytes";
/// The size of a read.
const CHUNK_BYTES: u64 = 1 << 20;
const CONTENT_TYPE: &str = "application/octet-stream";

/// The bucket, as far as the lease of a request opens it.
pub(crate) struct Lake {
    pub(crate) access: Access,
    pub(crate) region: Region,
}

#[async_trait]
impl S3 for Lake {
    async fn get_object(&self, req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = &req.input;
        let plain = input.version_id.is_none() && input.part_number.is_none() && input.sse_customer_key.is_none();
        let wanted = ObjectRequest { bucket: &input.bucket, key: &input.key, range: input.range, plain };
        let lease = lease(&req.extensions)?;
        let OpenedObject { file, key, bytes, content_range } = open(lease, &req.headers, wanted).await?;
        let state = file.state();
        let body = self.body(lease, file, bytes.clone()).await?;
        self.access.leases.sends(lease, key, state.size_bytes, &bytes);
        Ok(S3Response::new(GetObjectOutput {
            accept_ranges: Some(ACCEPT_RANGES.to_owned()),
            content_length: Some(signed(bytes.end - bytes.start)),
            content_range,
            content_type: Some(CONTENT_TYPE.to_owned()),
            e_tag: Some(ETag::Strong(etag(&state))),
            last_modified: Some(condition::last_modified(state.mtime_ns)),
            body: Some(body),
            ..GetObjectOutput::default()
        }))
    }

    /// Ignores a range: HTTP defines ranges for GET only (RFC 9110, section 14.2).
    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = &req.input;
        let plain = input.version_id.is_none() && input.part_number.is_none() && input.sse_customer_key.is_none();
        let wanted = ObjectRequest { bucket: &input.bucket, key: &input.key, range: None, plain };
        let OpenedObject { file, .. } = open(lease(&req.extensions)?, &req.headers, wanted).await?;
        let state = file.state();
        Ok(S3Response::new(HeadObjectOutput {
            accept_ranges: Some(ACCEPT_RANGES.to_owned()),
            content_length: Some(signed(state.size_bytes)),
            content_type: Some(CONTENT_TYPE.to_owned()),
            e_tag: Some(ETag::Strong(etag(&state))),
            last_modified: Some(condition::last_modified(state.mtime_ns)),
            ..HeadObjectOutput::default()
        }))
    }

    async fn list_objects_v2(&self, req: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
        check_bucket(&req.input.bucket)?;
        let lease = Arc::clone(lease(&req.extensions)?);
        let input = req.input;
        let encode: fn(&str) -> String = match input.encoding_type.as_ref().map(|encoding| encoding.as_str()) {
            None => str::to_owned,
            Some("url") => listing::url_encoded,
            Some(_) => return Err(invalid("`encoding-type` must be `url`")),
        };
        let after = match &input.continuation_token {
            Some(token) => Some(listing::read_token(token)?),
            None => input.start_after.clone(),
        };
        let query = Query {
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().filter(|delimiter| !delimiter.is_empty()),
            after,
            max_items: listing::max_items(input.max_keys)?,
        };
        let max_keys = i32::try_from(query.max_items).ok();
        let (listed, page) = list(lease, query).await?;
        let mut contents = Vec::new();
        let mut common_prefixes = Vec::new();
        let key_count = i32::try_from(page.items.len()).ok();
        for item in page.items {
            match item {
                Item::Key(index) => contents.push(object(encode(&listed.key(index)), listed.files.get(index))),
                Item::Group(group) => common_prefixes.push(CommonPrefix { prefix: Some(encode(&group)) }),
            }
        }
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(BUCKET.to_owned()),
            prefix: Some(encode(input.prefix.as_deref().unwrap_or_default())),
            delimiter: input.delimiter.as_deref().map(encode),
            start_after: input.start_after.as_deref().map(encode),
            encoding_type: input.encoding_type,
            continuation_token: input.continuation_token,
            max_keys,
            key_count,
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next.as_deref().map(listing::token),
            contents: Some(contents),
            common_prefixes: Some(common_prefixes),
            ..ListObjectsV2Output::default()
        }))
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        check_bucket(&req.input.bucket)?;
        let bucket_region = Some(self.region.to_string());
        Ok(S3Response::new(HeadBucketOutput { bucket_region, ..HeadBucketOutput::default() }))
    }

    async fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        check_bucket(&req.input.bucket)?;
        // S3 spells `us-east-1` as no constraint.
        let is_default = self.region == Region::default();
        let location_constraint = (!is_default).then(|| BucketLocationConstraint::from(self.region.to_string()));
        Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
    }
}

impl Lake {
    /// The body of an answer. The first chunk is read before the answer begins, so that a changed file still gets its error
    /// response; a later failure cuts the connection.
    async fn body(&self, lease: &Arc<OpenLease>, file: Arc<dyn Reader>, bytes: Range<u64>) -> S3Result<StreamingBlob> {
        let first = read_chunk(Arc::clone(&file), bytes.clone()).await.map_err(s3_error)?;
        if bytes.end - bytes.start <= CHUNK_BYTES {
            return Ok(StreamingBlob::from(Body::from(first)));
        }
        let chunks = Chunks {
            access: self.access.clone(),
            lease: Arc::clone(lease),
            file,
            ahead: Some(futures::future::ready(Ok(first)).boxed()),
            left: bytes.start + CHUNK_BYTES..bytes.end,
        };
        Ok(StreamingBlob::from(Body::http_body_unsync(StreamBody::new(chunks.stream().map_ok(Frame::data)))))
    }
}

/// A body in progress, read one chunk ahead of the one being sent.
struct Chunks {
    access: Access,
    lease: Arc<OpenLease>,
    file: Arc<dyn Reader>,
    ahead: Option<BoxFuture<'static, Result<Bytes, ReadError>>>,
    left: Range<u64>,
}

impl Chunks {
    fn stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send {
        futures::stream::try_unfold(self, |mut chunks| async move {
            let chunk = chunks.next().await.inspect_err(|reason| {
                tracing::warn!(lease.id = %chunks.lease.id, %reason, "response cut short");
            })?;
            Ok(chunk.map(|chunk| (chunk, chunks)))
        })
    }

    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let Some(ahead) = self.ahead.take() else { return Ok(None) };
        let chunk = ahead.await.map_err(|error| match error {
            ReadError::Io(error) => error,
            other @ (ReadError::NotFound | ReadError::Changed | ReadError::HardLink | ReadError::TooMany) => {
                io::Error::other(other)
            }
        })?;
        if !self.access.still_open(&self.lease).await {
            return Err(io::Error::other("the lease ended"));
        }
        if !self.left.is_empty() {
            self.ahead = Some(read_chunk(Arc::clone(&self.file), self.left.clone()).boxed());
            self.left.start = self.left.end.min(self.left.start + CHUNK_BYTES);
        }
        Ok(Some(chunk))
    }
}

/// A request for an object.
struct ObjectRequest<'a> {
    bucket: &'a str,
    key: &'a str,
    range: Option<s3s::dto::Range>,
    /// Whether it names no version, part or encryption key, which leases do not have.
    plain: bool,
}

/// An object opened for a request.
struct OpenedObject<'a> {
    file: Arc<dyn Reader>,
    /// Its key below the table.
    key: &'a str,
    bytes: Range<u64>,
    /// Set for a request with a range.
    content_range: Option<String>,
}

/// Opens the object of a request and evaluates its conditions and range: the same for GET and HEAD.
async fn open<'a>(
    lease: &Arc<OpenLease>,
    headers: &HeaderMap,
    wanted: ObjectRequest<'a>,
) -> S3Result<OpenedObject<'a>> {
    check_bucket(wanted.bucket)?;
    if !wanted.plain {
        return Err(S3Error::with_message(
            S3ErrorCode::NotImplemented,
            "versions, parts and customer keys are not supported",
        ));
    }
    let below_table = wanted.key.strip_prefix(&lease.table_id.to_string()).and_then(|rest| rest.strip_prefix('/'));
    let key = below_table.ok_or_else(|| s3_error(ReadError::NotFound))?;
    let file = lease.scope.open(key).await.map_err(s3_error)?;
    let state = file.state();
    let (etag, modified) = (etag(&state), condition::last_modified(state.mtime_ns));
    match condition::evaluate(headers, &etag, &modified) {
        Outcome::Proceed => {}
        Outcome::NotModified => return Err(not_modified(&state)),
        Outcome::Failed => {
            let message = "a precondition of the request is not met";
            return Err(S3Error::with_message(S3ErrorCode::PreconditionFailed, message));
        }
    }
    let size_bytes = state.size_bytes;
    let range = wanted.range.filter(|_| condition::range_applies(headers, &etag, &modified));
    let Some(range) = range else {
        return Ok(OpenedObject { file, key, bytes: 0..size_bytes, content_range: None });
    };
    let bytes = condition::resolve_range(range, size_bytes).ok_or_else(|| out_of_range(size_bytes))?;
    let content_range = Some(format!("bytes {}-{}/{size_bytes}", bytes.start, bytes.end - 1));
    Ok(OpenedObject { file, key, bytes, content_range })
}

/// The files of a lease, under their keys in the bucket.
struct Keyed {
    table: String,
    files: ScopeFiles,
}

impl Keyed {
    fn key(&self, index: usize) -> String {
        format!("{}/{}", self.table, self.files.get(index).path)
    }
}

async fn list(lease: Arc<OpenLease>, query: Query) -> S3Result<(Keyed, Page)> {
    let table = lease.table_id.to_string();
    let below = query.prefix.strip_prefix(&table).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
    let files = lease.scope.list(below).await.map_err(s3_error)?;
    let listed = Keyed { table, files };
    let paging = move || {
        let page = listing::page(&query, listed.files.count(), |index| listed.key(index));
        (listed, page)
    };
    tokio::task::spawn_blocking(paging).await.map_err(S3Error::internal_error)
}

fn object(key: String, file: &PinnedFile) -> Object {
    let state = FileState::from(file);
    Object {
        key: Some(key),
        e_tag: Some(ETag::Strong(etag(&state))),
        last_modified: Some(condition::last_modified(state.mtime_ns)),
        size: Some(signed(state.size_bytes)),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        ..Object::default()
    }
}

/// Reads up to one chunk from the start of a range. Reading begins at once, before the future is awaited.
fn read_chunk(file: Arc<dyn Reader>, bytes: Range<u64>) -> impl Future<Output = Result<Bytes, ReadError>> + Send {
    let length = usize::try_from((bytes.end - bytes.start).min(CHUNK_BYTES)).unwrap_or(0);
    file.read(bytes.start, length).map_ok(Bytes::from)
}

/// The strong ETag of a state, without quotes: inode, size, modification time and change time, in hex.
fn etag(state: &FileState) -> String {
    let FileState { size_bytes, mtime_ns, inode, ctime_ns } = state;
    match ctime_ns {
        Some(ctime_ns) => format!("{inode:x}-{size_bytes:x}-{mtime_ns:x}-{ctime_ns:x}"),
        None => format!("{inode:x}-{size_bytes:x}-{mtime_ns:x}"),
    }
}

fn lease(extensions: &Extensions) -> S3Result<&Arc<OpenLease>> {
    extensions.get().ok_or_else(|| S3Error::new(S3ErrorCode::AccessDenied))
}

fn check_bucket(bucket: &str) -> S3Result<()> {
    if bucket == BUCKET {
        return Ok(());
    }
    Err(S3Error::with_message(S3ErrorCode::NoSuchBucket, format!("the only bucket is `{BUCKET}`")))
}

fn s3_error(error: ReadError) -> S3Error {
    match error {
        ReadError::NotFound => S3Error::with_message(S3ErrorCode::NoSuchKey, "this lease has no such file"),
        ReadError::Changed => {
            let message = "the file changed after its inspection: request a new lease";
            S3Error::with_message(S3ErrorCode::PreconditionFailed, message)
        }
        ReadError::HardLink => {
            let message = "the file has other hard links, through which it can be changed: replace it with a copy";
            S3Error::with_message(S3ErrorCode::PreconditionFailed, message)
        }
        ReadError::TooMany => invalid("the folder has too many files to list"),
        ReadError::Io(error) => {
            tracing::error!(%error, "cannot read a file of a lease");
            S3Error::with_message(S3ErrorCode::InternalError, "cannot read the file")
        }
    }
}

fn not_modified(state: &FileState) -> S3Error {
    with_header(S3Error::new(S3ErrorCode::NotModified), header::ETAG, format!("\"{}\"", etag(state)))
}

fn out_of_range(size_bytes: u64) -> S3Error {
    let error = S3Error::with_message(S3ErrorCode::InvalidRange, "the range is outside the file");
    with_header(error, header::CONTENT_RANGE, format!("bytes */{size_bytes}"))
}

fn with_header(mut error: S3Error, name: HeaderName, value: String) -> S3Error {
    if let Ok(value) = HeaderValue::try_from(value) {
        error.set_headers(HeaderMap::from_iter([(name, value)]));
    }
    error
}

fn invalid(message: &'static str) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidArgument, message)
}

fn signed(size_bytes: u64) -> i64 {
    i64::try_from(size_bytes).unwrap_or(i64::MAX)
}
