using System.Threading.RateLimiting;
using MassTransit;

namespace Assay.Dashboard.Api;

/// <summary>
/// Requests take turns: so many are answered at once, so many wait, and who comes after them is told to come again. Without it a crowd waited
/// for the database's few connections until each had timed out, with the projections and the health check among them, and asked anew.
/// </summary>
sealed class RequestTurns(IHttpContextAccessor http) : IDisposable
{
    /// <summary>Requests that are answered at once, at most.</summary>
    public static int AtOnce { get; } = 2 * AssayDatabaseOptionsExtensions.MostConnections;

    /// <summary>Requests that wait for their turn, at most.</summary>
    public const int Waiting = 128;

    /// <summary>Requests that wait for another service to decide, at most: each looks at the database now and then.</summary>
    const int WaitingForOthers = 64;

    readonly ConcurrencyLimiter _turns = new(new ConcurrencyLimiterOptions { PermitLimit = AtOnce, QueueLimit = Waiting, QueueProcessingOrder = QueueProcessingOrder.OldestFirst });
    readonly ConcurrencyLimiter _waits = new(new ConcurrencyLimiterOptions { PermitLimit = WaitingForOthers, QueueLimit = 0 });

    /// <summary>Answers a request when its turn comes, or refuses it at once.</summary>
    public async Task TakeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<TakesTurn>() is not { DoesSo: true })
        {
            await next(context);
            return;
        }

        using var turn = await _turns.AcquireAsync(1, context.RequestAborted);
        if (!turn.IsAcquired)
        {
            await UnavailableHandler.TellAsync(context, "Too many requests at once", "Nothing was done: more requests wait than the dashboard can answer soon. Ask again in a few seconds.");
            return;
        }

        context.Features.Set(new Turn(turn));
        await next(context);
    }

    /// <summary>Lets the next one have this request's turn: it waits for another service now, and hardly needs the database any more.</summary>
    public void Leave() => http.HttpContext?.Features.Get<Turn>()?.Lease.Dispose();

    /// <summary>Leaves the turn to wait for what another service decides. Not acquired: too many wait already, and this one should look once.</summary>
    public RateLimitLease LeaveToWait()
    {
        Leave();
        return _waits.AttemptAcquire();
    }

    public void Dispose()
    {
        _turns.Dispose();
        _waits.Dispose();
    }

    /// <param name="Lease">The turn; disposing it twice gives it back once.</param>
    sealed record Turn(RateLimitLease Lease);
}

/// <summary>Whether the requests of an endpoint take turns.</summary>
sealed record TakesTurn(bool DoesSo);

static class TurnsOfEndpoints
{
    public static TBuilder TakeTurns<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder => endpoints.WithMetadata(new TakesTurn(true));

    /// <summary>For what stays open for long, and what stops spending.</summary>
    public static RouteHandlerBuilder TakesNoTurn(this RouteHandlerBuilder endpoint) => endpoint.WithMetadata(new TakesTurn(false));
}
