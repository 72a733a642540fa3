using System.Threading.RateLimiting;
using Assay.Dashboard.Pages;
using MassTransit;
using Microsoft.AspNetCore.RateLimiting;

namespace Assay.Dashboard.Api;

/// <summary>
/// Requests take turns: so many are answered at once, so many wait, and who comes after them is told to come again. Without it a crowd waited
/// for the database's few connections until each had timed out, with the projections and the health check among them, and asked anew.
/// </summary>
static class RequestTurns
{
    /// <summary>Requests that are answered at once, at most. Some wait for another service and not for the database.</summary>
    public static int AtOnce { get; } = 4 * AssayDatabaseOptionsExtensions.MostConnections;

    /// <summary>Requests that wait for their turn, at most.</summary>
    public const int Waiting = 128;

    /// <summary>Marks endpoints that take turns. Those that stay open for long, and what stops spending, do not.</summary>
    public static TBuilder TakeTurns<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder => endpoints.WithMetadata(new TakesTurns());

    public static PartitionedRateLimiter<HttpContext> Limiter() => PartitionedRateLimiter.Create<HttpContext, bool>(context =>
        context.GetEndpoint()?.Metadata.GetMetadata<TakesTurns>() is null
            ? RateLimitPartition.GetNoLimiter(false)
            : RateLimitPartition.GetConcurrencyLimiter(true, _ => new ConcurrencyLimiterOptions { PermitLimit = AtOnce, QueueLimit = Waiting, QueueProcessingOrder = QueueProcessingOrder.OldestFirst }));

    /// <summary>Answers a request that got no turn (503), or one too many of those that somebody may send in a minute (429).</summary>
    public static async ValueTask RefuseAsync(OnRejectedContext rejected, CancellationToken cancellationToken)
    {
        var context = rejected.HttpContext;
        if (rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out _))
        {
            context.Response.Headers.RetryAfter = "60";
            await PageEndpoints.Message("Too many attempts", "Wait a minute, then try again.", StatusCodes.Status429TooManyRequests).ExecuteAsync(context);
            return;
        }

        const string title = "Too many requests at once", detail = "Nothing was done: more requests wait than the dashboard can answer soon. Ask again in a few seconds.";
        context.Response.Headers.RetryAfter = Problems.RetryAfter;
        if (PageErrors.Wants(context))
            await PageEndpoints.Message(title, detail, StatusCodes.Status503ServiceUnavailable).ExecuteAsync(context);
        else
            await TypedResults.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, title: title, detail: detail).ExecuteAsync(context);
    }

    sealed record TakesTurns;
}
