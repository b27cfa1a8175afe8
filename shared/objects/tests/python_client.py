"""Drives the embedded storage with boto3, a client that is not ours, unchanged.

Reads {"url", "key_id", "key", "bucket"} from standard input and ends with 0 when everything was as
the client's users expect it.
"""

import hashlib
import io
import json
import os
import sys
import urllib.error
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

MIB = 1024 * 1024


def connect(given, key):
    return boto3.client(
        "s3",
        endpoint_url=given["url"],
        region_name="us-east-1",
        aws_access_key_id=given["key_id"],
        aws_secret_access_key=key,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            retries={"total_max_attempts": 1},
        ),
    )


def refused(call):
    try:
        call()
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
    raise AssertionError("a refusal was expected")


def objects(s3, bucket):
    put = s3.put_object(
        Bucket=bucket,
        Key="v/a b/ы.txt",
        Body="0123456789".encode(),
        ContentType="text/plain",
        CacheControl="no-store",
        Metadata={"take": "2"},
    )
    assert put["ETag"] == f'"{hashlib.md5(b"0123456789").hexdigest()}"', put
    head = s3.head_object(Bucket=bucket, Key="v/a b/ы.txt")
    assert (head["ContentLength"], head["ContentType"]) == (10, "text/plain"), head
    assert (head["ETag"], head["Metadata"]) == (put["ETag"], {"take": "2"}), head
    assert head["CacheControl"] == "no-store", head
    get = lambda **more: s3.get_object(Bucket=bucket, Key="v/a b/ы.txt", **more)
    assert get()["Body"].read() == b"0123456789"
    part = get(Range="bytes=2-4")
    assert (part["Body"].read(), part["ContentRange"]) == (b"234", "bytes 2-4/10"), part
    assert refused(lambda: get(Range="bytes=10-"))[0] == 416
    assert refused(lambda: get(IfNoneMatch=put["ETag"]))[0] == 304
    assert refused(lambda: get(IfMatch='"00000000000000000000000000000000"'))[0] == 412

    bad = lambda: s3.put_object(
        Bucket=bucket, Key="v/a b/ы.txt", Body=b"other", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg=="
    )
    assert refused(bad) == (400, "BadDigest")
    assert get()["Body"].read() == b"0123456789"
    assert get()["ETag"] == put["ETag"]
    again = lambda: s3.put_object(Bucket=bucket, Key="v/a b/ы.txt", Body=b"x", IfNoneMatch="*")
    assert refused(again) == (412, "PreconditionFailed")

    s3.copy_object(Bucket=bucket, Key="v/copy", CopySource={"Bucket": bucket, "Key": "v/a b/ы.txt"})
    copy = s3.get_object(Bucket=bucket, Key="v/copy")
    assert (copy["Body"].read(), copy["ContentType"]) == (b"0123456789", "text/plain"), copy
    assert copy["ETag"] == put["ETag"]
    s3.delete_object(Bucket=bucket, Key="v/copy")
    assert refused(lambda: s3.head_object(Bucket=bucket, Key="v/copy"))[0] == 404
    assert refused(lambda: s3.get_object(Bucket=bucket, Key="v/copy")) == (404, "NoSuchKey")


def listings(s3, bucket):
    keys = [f"list/{folder}/{number}" for folder in "ab" for number in range(4)] + ["list/c"]
    tags = {
        key: s3.put_object(Bucket=bucket, Key=key, Body=key.encode())["ETag"] for key in keys
    }
    for operation in ("list_objects_v2", "list_objects"):
        pages = s3.get_paginator(operation).paginate(
            Bucket=bucket, Prefix="list/", PaginationConfig={"PageSize": 4}
        )
        pages = [page["Contents"] for page in pages]
        assert [len(page) for page in pages] == [4, 4, 1], (operation, pages)
        found = {entry["Key"]: entry["ETag"] for page in pages for entry in page}
        assert found == tags, (operation, found)
        assert all(entry["LastModified"] and entry["Size"] > 0 for entry in pages[0])
    folded = s3.list_objects_v2(Bucket=bucket, Prefix="list/", Delimiter="/")
    assert [entry["Prefix"] for entry in folded["CommonPrefixes"]] == ["list/a/", "list/b/"]
    assert [entry["Key"] for entry in folded["Contents"]] == ["list/c"]
    later = s3.list_objects_v2(Bucket=bucket, Prefix="list/", StartAfter="list/b/2")
    assert [entry["Key"] for entry in later["Contents"]] == ["list/b/3", "list/c"]
    # A name that has to be escaped in XML and in URLs.
    odd = s3.list_objects_v2(Bucket=bucket, Prefix="v/a b/")
    assert [entry["Key"] for entry in odd["Contents"]] == ["v/a b/ы.txt"], odd

    deleted = s3.delete_objects(
        Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]}
    )
    assert len(deleted["Deleted"]) == len(keys) and not deleted.get("Errors"), deleted
    assert s3.list_objects_v2(Bucket=bucket, Prefix="list/")["KeyCount"] == 0


def transfers(s3, bucket):
    content = os.urandom(12 * MIB + 7)
    parts = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    extra = {"ContentType": "video/mp4"}
    s3.upload_fileobj(io.BytesIO(content), bucket, "big", ExtraArgs=extra, Config=parts)
    head = s3.head_object(Bucket=bucket, Key="big")
    assert (head["ContentLength"], head["ContentType"]) == (len(content), "video/mp4"), head
    back = io.BytesIO()
    s3.download_fileobj(bucket, "big", back, Config=parts)
    assert hashlib.sha256(back.getvalue()).digest() == hashlib.sha256(content).digest()

    begun = s3.create_multipart_upload(Bucket=bucket, Key="left")["UploadId"]
    part = {"Bucket": bucket, "Key": "left", "UploadId": begun}
    s3.upload_part(PartNumber=1, Body=b"some", **part)
    assert [p["Size"] for p in s3.list_parts(**part)["Parts"]] == [4]
    open_now = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [upload["UploadId"] for upload in open_now] == [begun], open_now
    s3.abort_multipart_upload(**part)
    assert refused(lambda: s3.list_parts(**part)) == (404, "NoSuchUpload")
    assert not s3.list_multipart_uploads(Bucket=bucket).get("Uploads")


def signed(s3, bucket):
    params = {"Bucket": bucket, "Key": "signed", "ContentType": "image/png"}
    url = s3.generate_presigned_url("put_object", Params=params, ExpiresIn=60)

    def send(url, **more):
        return urllib.request.urlopen(urllib.request.Request(url, **more))

    kind = {"content-type": "image/png"}
    assert send(url, method="PUT", data=b"picture", headers=kind).status == 200
    del params["ContentType"]
    url = s3.generate_presigned_url("get_object", Params=params, ExpiresIn=60)
    answer = send(url)
    assert (answer.read(), answer.headers["content-type"]) == (b"picture", "image/png")
    answer = send(url, headers={"range": "bytes=0-2"})
    assert (answer.status, answer.read()) == (206, b"pic")
    try:
        send(url.replace("signed", "big"))
        raise AssertionError("the signature is of another object")
    except urllib.error.HTTPError as error:
        assert error.code == 403


def main():
    given = json.loads(sys.stdin.readline())
    s3, bucket = connect(given, given["key"]), given["bucket"]
    assert [found["Name"] for found in s3.list_buckets()["Buckets"]] == [bucket]
    s3.head_bucket(Bucket=bucket)
    objects(s3, bucket)
    listings(s3, bucket)
    transfers(s3, bucket)
    signed(s3, bucket)
    stranger = connect(given, "another-key")
    assert refused(lambda: stranger.list_objects_v2(Bucket=bucket))[0] == 403


main()
