using Assay.Dashboard.Access;
using Assay.Dashboard.Operations;

namespace Assay.Dashboard.Api;

public sealed record NewKeyBody(string? Role, string? Name, string? Reason = null);

/// <summary>/api/keys: an operator makes, lists and revokes keys; a running system has no other door for that.</summary>
static class KeysApi
{
    static readonly string[] KnownRoles = [Roles.Viewer, Roles.Producer, Roles.Operator];

    public static void Map(RouteGroupBuilder api)
    {
        var keys = api.MapGroup("/keys").WithTags("Keys");
        keys.MapPost("/", CreateAsync).RequireAuthorization(Policies.OperateByKey).Produces<CreatedKey>(StatusCodes.Status201Created).ProducesProblem(400).WithIdempotencyKey(IdempotencyUse.AnswersOnce)
            .WithSummary("Makes a key. Its secret is in this answer and nowhere else.");
        keys.MapGet("/", async (IKeyStore store, CancellationToken cancellationToken) => TypedResults.Ok(await store.ListAsync(cancellationToken)))
            .RequireAuthorization(Policies.OperateByKey).WithSummary("All keys without their secrets, newest first.");
        keys.MapDelete("/{id:guid}", RevokeAsync).RequireAuthorization(Policies.OperateByKey).Produces(StatusCodes.Status204NoContent).ProducesProblem(404)
            .WithSummary("Ends a key and the sessions opened with it.");
    }

    static async Task<IResult> CreateAsync(NewKeyBody body, HttpContext context, IKeyStore store, OperatorTrail trail, CancellationToken cancellationToken)
    {
        if (body.Role is null || !KnownRoles.Contains(body.Role, StringComparer.Ordinal))
            return Problems.BadInput("role", $"is '{body.Role}'; use {string.Join(", ", KnownRoles)}");
        if (string.IsNullOrWhiteSpace(body.Name))
            return Problems.BadInput("name", "is missing; say whose key it is, it is shown in every list and log");
        var key = await store.CreateKeyAsync(body.Role, body.Name, cancellationToken);
        await trail.RecordAsync(Callers.NameOf(context), "create key", null, string.IsNullOrWhiteSpace(body.Reason) ? $"for {key.Name}" : body.Reason, $"{key.Role} {key.KeyId}", cancellationToken);
        return TypedResults.Created($"/api/keys/{key.KeyId}", key);
    }

    static async Task<IResult> RevokeAsync(Guid id, string? reason, HttpContext context, IKeyStore store, OperatorTrail trail, CancellationToken cancellationToken)
    {
        if (!await store.RevokeKeyAsync(id, Callers.NameOf(context), cancellationToken))
            return TypedResults.Problem($"There is no key {id} that is still valid.", statusCode: StatusCodes.Status404NotFound, title: "Not found");
        await trail.RecordAsync(Callers.NameOf(context), "revoke key", null, reason, id.ToString(), cancellationToken);
        return TypedResults.NoContent();
    }
}
