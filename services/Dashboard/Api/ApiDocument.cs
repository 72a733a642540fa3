using System.Globalization;
using Assay.Dashboard.Access;
using Assay.Dashboard.Audits;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Assay.Dashboard.Api;

/// <summary>What every operation has in common, told in the OpenAPI document: who may call, how it refuses, how it is repeated, paged and cached.</summary>
static class ApiDocument
{
    const string SchemeName = "bearer";
    const string Problem = "application/problem+json";

    public static void Describe(OpenApiOptions options)
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Assay", Version = "v1",
                Description = "AI visibility audits. Times are UTC, money is in US dollars, errors are problem details (RFC 9457). Lists have page (from 1) and pageSize, and say page, pages and total.",
            };
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal);
            document.Components.SecuritySchemes[SchemeName] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "A key (assay_…), made by `assay key create` or an operator, or a token of the configured OpenID Connect provider. GET also takes the session cookie of a signed-in person.",
            };
            AddHealth(document, "/health/live", "The process answers.");
            AddHealth(document, "/health/ready", "Everything this process needs answers; 503 names what is missing.");
            return Task.CompletedTask;
        });
        options.AddOperationTransformer(async (operation, context, cancellationToken) =>
        {
            var metadata = context.Description.ActionDescriptor.EndpointMetadata;
            operation.Responses ??= [];
            operation.Parameters ??= [];
            if (context.Document is { } document)
            {
                var schema = await context.GetOrCreateSchemaAsync(typeof(ProblemDetails), null, cancellationToken);
                document.AddComponent(nameof(ProblemDetails), schema);
                Secure(operation, document, metadata);
                foreach (var (status, response) in operation.Responses.Where(response => response.Key[0] is '4' or '5'))
                    if (response is OpenApiResponse { Content: null or { Count: 0 } } silent)
                        operation.Responses[status] = Refusal(silent.Description ?? status, document);
            }

            Page(operation);
            if (string.Equals(context.Description.HttpMethod, "POST", StringComparison.OrdinalIgnoreCase))
                Repeat(operation, metadata.OfType<IdempotencyUseMark>().LastOrDefault()?.Value ?? IdempotencyUse.AnswersAgain, context.Document);
            else if (string.Equals(context.Description.HttpMethod, "GET", StringComparison.OrdinalIgnoreCase) && !context.Description.SupportedResponseTypes.Any(type => type.ApiResponseFormats.Any(format => format.MediaType == "text/event-stream")))
                Tag(operation);
        });
    }

    static void AddHealth(OpenApiDocument document, string path, string summary)
    {
        document.Paths ??= [];
        document.Paths[path] = new OpenApiPathItem
        {
            Operations = new Dictionary<HttpMethod, OpenApiOperation>
            {
                [HttpMethod.Get] = new() { Summary = summary, Tags = new HashSet<OpenApiTagReference> { new("Health", document) }, Security = [], Responses = new() { ["200"] = new OpenApiResponse { Description = "OK" }, ["503"] = new OpenApiResponse { Description = "Not ready" } } },
            },
        };
    }

    static void Secure(OpenApiOperation operation, OpenApiDocument document, IList<object> metadata)
    {
        operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(SchemeName, document)] = [] }];
        var who = metadata.OfType<IAuthorizeData>().LastOrDefault()?.Policy switch
        {
            Policies.OperateByKey => $"Role {Roles.Operator}, by key.",
            Policies.ProduceByKey => $"Role {Roles.Producer} or {Roles.Operator}, by key.",
            _ => "Any role.",
        };
        operation.Description = operation.Description is { Length: > 0 } more ? $"{more} {who}" : who;
        operation.Responses!.TryAdd("401", Refusal("No valid key", document));
        operation.Responses.TryAdd("403", Refusal("The key's role does not permit this", document));
    }

    static OpenApiResponse Refusal(string description, OpenApiDocument document) => new()
    {
        Description = description,
        Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal) { [Problem] = new() { Schema = new OpenApiSchemaReference(nameof(ProblemDetails), document) } },
    };

    static void Page(OpenApiOperation operation)
    {
        foreach (var parameter in operation.Parameters!.OfType<OpenApiParameter>())
            parameter.Description ??= parameter.Name switch
            {
                "page" => "From 1.",
                "pageSize" => string.Create(CultureInfo.InvariantCulture, $"1 to {AuditReader.MaxPageSize}; 50 if left out."),
                _ => null,
            };
    }

    static void Repeat(OpenApiOperation operation, IdempotencyUse use, OpenApiDocument? document)
    {
        if (use == IdempotencyUse.None)
            return;
        operation.Parameters!.Add(new OpenApiParameter
        {
            Name = IdempotencyKeys.Header, In = ParameterLocation.Header, Required = false, Schema = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = IdempotencyKeys.MaxLength },
            Description = use switch
            {
                IdempotencyUse.NamesWhatIsMade => "Makes the auditId where the body has none: a UUID as it is, other text by its hash. The same key is the same audit, for ever.",
                IdempotencyUse.AnswersOnce => "Makes a repetition within a day safe: it does nothing and gets 409, since the secret is given once only.",
                _ => "Makes a repetition within a day safe: it does nothing and gets the first answer, with Idempotency-Replayed: true.",
            },
        });
        if (use == IdempotencyUse.NamesWhatIsMade || document is null)
            return;
        operation.Responses!.TryAdd("409", Refusal("The same request is still at work, or its answer may be given once only", document));
        operation.Responses.TryAdd("422", Refusal("The Idempotency-Key was used for something else", document));
    }

    static void Tag(OpenApiOperation operation)
    {
        operation.Parameters!.Add(new OpenApiParameter
        {
            Name = "If-None-Match", In = ParameterLocation.Header, Required = false, Schema = new OpenApiSchema { Type = JsonSchemaType.String }, Description = "Entity tags that are known already: if one still holds, the answer is 304.",
        });
        operation.Responses!.TryAdd("304", new OpenApiResponse { Description = "Not modified" });
        if (operation.Responses.GetValueOrDefault("200") is OpenApiResponse found)
        {
            found.Headers ??= new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal);
            found.Headers["ETag"] = new OpenApiHeader { Description = "Names this state of the resource.", Schema = new OpenApiSchema { Type = JsonSchemaType.String } };
        }
    }
}
