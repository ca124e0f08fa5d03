"""What stores say of new objects, as they were seen to say it (their documents, and a gateway of Ceph 16 overheard)."""

from __future__ import annotations

import json
from typing import Any

TOPIC = "arn:aws:sns:eu-central-1:123456789012:uploads"
ETAG = "d41d8cd98f00b204e9800998ecf8427e"
Body = dict[str, Any]


def s3(key: str | None = "in/a.mp4", *, bucket: str = "media", **changes: Any) -> Body:  # noqa: ANN401  # JSON
    """S3, of one object. `changes`: members of the record, or of its object."""
    record: Body = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "eu-central-1",
        "eventTime": "2026-11-29T20:15:43.123Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AIDAEXAMPLE"},
        "requestParameters": {"sourceIPAddress": "198.51.100.7"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZQpcIZ9"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "videos",
            "bucket": {
                "name": bucket,
                "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                "arn": f"arn:aws:s3:::{bucket}",
            },
            "object": {"key": key, "size": 1024, "eTag": ETAG, "sequencer": "0055AED6DCD90281E5"},
        },
    }
    for name, value in changes.items():
        (record if name in record else record["s3"]["object"])[name] = value
    return {"Records": [record]}


def minio(key: str = "in%2Fa.mp4", *, bucket: str = "media") -> Body:
    body = s3(
        key,
        bucket=bucket,
        eventVersion="2.0",
        eventSource="minio:s3",
        eventName="s3:ObjectCreated:Put",
        versionId="null",
    )
    body["Records"][0]["source"] = {"host": "198.51.100.7", "port": "", "userAgent": "MinIO (linux; amd64) minio-go/v7"}
    return {"EventName": "s3:ObjectCreated:Put", "Key": f"{bucket}/in/a.mp4", **body}


def ceph(key: str = "in/a.mp4", *, bucket: str = "media") -> Body:
    return s3(
        key,
        bucket=bucket,
        eventVersion="2.2",
        eventSource="ceph:s3",
        eventName="s3:ObjectCreated:CompleteMultipartUpload",
        size="1024",
        eTag="",
        versionId="",
        sequencer="F7E6D75DC742D108",
        metadata=[{"key": "x-amz-meta-a", "val": "b"}],
        eventId="1445466855.1.e7d6",
        opaqueData="",
    )


def eventbridge(key: str = "in/a.mp4", *, bucket: str = "media", **changes: Any) -> Body:  # noqa: ANN401  # JSON
    body: Body = {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "123456789012",
        "time": "2026-11-29T20:15:43Z",
        "region": "eu-central-1",
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {
                "key": key,
                "size": 1024,
                "etag": ETAG,
                "version-id": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
                "sequencer": "00617F08299329D189",
            },
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "123456789012",
            "source-ip-address": "1.2.3.4",
            "reason": "PutObject",
        },
    }
    for name, value in changes.items():
        (body if name in body else body["detail"])[name.replace("_", "-")] = value
    return body


def sns(inside: Body, *, topic: str = TOPIC) -> Body:
    return {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": topic,
        "Subject": "Amazon S3 Notification",
        "Message": json.dumps(inside, ensure_ascii=False),
        "Timestamp": "2026-11-29T20:15:44.000Z",
        "SignatureVersion": "1",
        "Signature": "EXAMPLEw6JRN…",
        "SigningCertURL": "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem",
        "UnsubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe",
    }


def invitation(
    url: str = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription", *, topic: str = TOPIC
) -> Body:
    return {
        "Type": "SubscriptionConfirmation",
        "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
        "Token": "2336412f37",
        "TopicArn": topic,
        "Message": "You have chosen to subscribe to the topic. To confirm, visit the SubscribeURL.",
        "SubscribeURL": url,
        "Timestamp": "2026-11-29T20:15:44.000Z",
        "SignatureVersion": "1",
    }


FIRST = {
    "Service": "Amazon S3",
    "Event": "s3:TestEvent",
    "Time": "2026-11-29T20:15:43.123Z",
    "Bucket": "media",
    "RequestId": "5582815E1AEA5ADF",
    "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR",
}
