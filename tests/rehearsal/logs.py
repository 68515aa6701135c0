"""Prints what the functions logged."""

import boto3

logs = boto3.client("logs")
for group in logs.describe_log_groups()["logGroups"]:
    for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]:
        print(event["logStreamName"][:60], event["message"].strip())
