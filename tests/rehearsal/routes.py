"""Makes the API's routes from the deployed template, as API Gateway does from the same lines.

MiniStack takes the template and leaves the OpenAPI body of an HTTP API unread.
"""

import json
import re
import sys

import boto3

stack = sys.argv[1]
cloudformation = boto3.client("cloudformation")
template = cloudformation.get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
if isinstance(template, str):
    template = json.loads(template)
resources = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
physical = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources}
functions, gateway = boto3.client("lambda"), boto3.client("apigatewayv2")
api = physical["Api"]
for path, methods in template["Resources"]["Api"]["Properties"]["Body"]["paths"].items():
    for method, operation in methods.items():
        called = operation["x-amazon-apigateway-integration"]
        name = re.search(r"\$\{(\w+)\.Arn\}", called["uri"]["Fn::Sub"]).group(1)
        function = functions.get_function(FunctionName=physical[name])["Configuration"]
        integration = gateway.create_integration(
            ApiId=api,
            IntegrationType="AWS_PROXY",
            IntegrationUri=function["FunctionArn"],
            PayloadFormatVersion=called["payloadFormatVersion"],
        )
        word = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
        target = "integrations/" + integration["IntegrationId"]
        gateway.create_route(ApiId=api, RouteKey=f"{word} {path}", Target=target)
print(api)
