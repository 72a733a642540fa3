using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Assay.Contracts.Internal;
using Assay.Dashboard.Access;
using Assay.Dashboard.Database;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Api;

/// <summary>What an <c>Idempotency-Key</c> does for a POST.</summary>
enum IdempotencyUse
{
    /// <summary>The first request acts; a repetition gets the answer of the first.</summary>
    AnswersAgain,

    /// <summary>The first request acts; its answer holds a secret, which is given once only, so that a repetition is told so.</summary>
    AnswersOnce,

    /// <summary>It names what is made, for ever: the request itself is safe to repeat.</summary>
    NamesWhatIsMade,

    /// <summary>None is needed: nothing is changed.</summary>
    None,
}

/// <summary>Repeating a POST safely, after its answer was lost on the way.</summary>
static class IdempotencyKeys
{
    public const string Header = "Idempotency-Key";

    /// <summary>Says of an answer that it is the one given before.</summary>
    public const string ReplayedHeader = "Idempotency-Replayed";

    public const int MaxLength = 200;

    /// <summary>For how long an answer is kept.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromDays(1);

    /// <summary>A request that was not answered for so long died half-way; a repetition acts.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(3);

    public static IdempotencyUse UseOf(Endpoint? endpoint) => endpoint?.Metadata.GetMetadata<IdempotencyUseMark>()?.Value ?? IdempotencyUse.AnswersAgain;

    public static RouteHandlerBuilder WithIdempotencyKey(this RouteHandlerBuilder endpoint, IdempotencyUse use) => endpoint.WithMetadata(new IdempotencyUseMark(use));
}

/// <summary>Marks an endpoint with its use of the key.</summary>
sealed record IdempotencyUseMark(IdempotencyUse Value);

/// <summary>Remembers the answers to POSTs by caller and key.</summary>
sealed class IdempotencyFilter(IServiceScopeFactory scopes, TimeProvider time) : IEndpointFilter
{
    DateTime Now => time.GetUtcNow().UtcDateTime;

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var key = http.Request.Headers[IdempotencyKeys.Header].ToString().Trim();
        if (key.Length == 0 || !HttpMethods.IsPost(http.Request.Method) || IdempotencyKeys.UseOf(http.GetEndpoint()) is IdempotencyUse.NamesWhatIsMade or IdempotencyUse.None)
            return await next(context);
        if (key.Length > IdempotencyKeys.MaxLength)
            return Problems.BadInput(IdempotencyKeys.Header, $"has {key.Length} characters; use at most {IdempotencyKeys.MaxLength}");
        var row = new IdempotentAnswerRow { Caller = Callers.NameOf(http), Key = key, RequestHash = HashOf(context), At = Now };
        if (await ClaimAsync(row, http.RequestAborted) is { } known)
            return known;
        try
        {
            var result = (IResult?)await next(context) ?? TypedResults.NoContent();
            return new Remembered(result, row, this, IdempotencyKeys.UseOf(http.GetEndpoint()) == IdempotencyUse.AnswersOnce);
        }
        catch
        {
            await ForgetAsync(row);
            throw;
        }
    }

    /// <summary>Null if this request is to act; else what it gets instead.</summary>
    async Task<IResult?> ClaimAsync(IdempotentAnswerRow row, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<DashboardDbContext>();
        var tooOld = row.At - IdempotencyKeys.Kept;
        await db.IdempotentAnswers.Where(known => known.At < tooOld).ExecuteDeleteAsync(cancellationToken);
        // Several instances may get the repetition at the same time: the primary key decides which request acts.
        if (await db.Database.ExecuteSqlAsync($"""INSERT INTO idempotent_answer (caller, "key", request_hash, at) VALUES ({row.Caller}, {row.Key}, {row.RequestHash}, {row.At}) ON CONFLICT DO NOTHING""", cancellationToken) == 1)
            return null;
        if (await db.IdempotentAnswers.AsNoTracking().SingleOrDefaultAsync(known => known.Caller == row.Caller && known.Key == row.Key, cancellationToken) is not { } known)
            return Busy(row.Key);
        if (known.RequestHash != row.RequestHash)
            return TypedResults.Problem(statusCode: StatusCodes.Status422UnprocessableEntity, title: "The key was used for something else",
                detail: $"The {IdempotencyKeys.Header} '{row.Key}' came with another request at {known.At:u}. Send each request with a key of its own.");
        if (known.Status is not null)
            return new Replayed(known);
        if (row.At - known.At < IdempotencyKeys.Longest)
            return Busy(row.Key);
        return await db.IdempotentAnswers.Where(dead => dead.Caller == row.Caller && dead.Key == row.Key && dead.At == known.At && dead.Status == null)
            .ExecuteUpdateAsync(set => set.SetProperty(dead => dead.At, row.At), cancellationToken) == 1 ? null : Busy(row.Key);
    }

    async Task KeepAsync(IdempotentAnswerRow row, int status, string? location, string? body)
    {
        await using var scope = scopes.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<DashboardDbContext>().IdempotentAnswers.Where(known => known.Caller == row.Caller && known.Key == row.Key)
            .ExecuteUpdateAsync(set => set.SetProperty(known => known.Status, status).SetProperty(known => known.Location, location).SetProperty(known => known.Body, body));
    }

    /// <summary>Nothing was done: a repetition acts.</summary>
    async Task ForgetAsync(IdempotentAnswerRow row)
    {
        await using var scope = scopes.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<DashboardDbContext>().IdempotentAnswers.Where(known => known.Caller == row.Caller && known.Key == row.Key && known.Status == null).ExecuteDeleteAsync();
    }

    static ProblemHttpResult Busy(string key) => TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "The same request is at work",
        detail: $"A request with the {IdempotencyKeys.Header} '{key}' has not been answered yet. Send it again in a few seconds: you get its answer.");

    static string HashOf(EndpointFilterInvocationContext context)
    {
        var http = context.HttpContext;
        var body = http.GetEndpoint()?.Metadata.GetMetadata<IAcceptsMetadata>()?.RequestType is { } type ? context.Arguments.FirstOrDefault(argument => argument?.GetType() == type) : null;
        var request = $"{http.Request.Path}{http.Request.QueryString}\n{(body is null ? "" : JsonSerializer.Serialize(body, body.GetType(), AssayJson.Options))}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(request)));
    }

    /// <summary>Keeps an answer before it is sent: one that gets lost on the way was given.</summary>
    sealed class Remembered(IResult result, IdempotentAnswerRow row, IdempotencyFilter filter, bool secret) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            var wire = response.Body;
            using var written = new MemoryStream();
            try
            {
                response.Body = written;
                await result.ExecuteAsync(httpContext);
                await response.Body.FlushAsync(httpContext.RequestAborted);
            }
            catch
            {
                await filter.ForgetAsync(row);
                throw;
            }
            finally
            {
                response.Body = wire;
            }

            if (response.StatusCode is >= 200 and < 300)
                await filter.KeepAsync(row, response.StatusCode, response.Headers.Location, secret ? null : Encoding.UTF8.GetString(written.GetBuffer(), 0, (int)written.Length));
            else
                await filter.ForgetAsync(row);
            written.Position = 0;
            await written.CopyToAsync(wire, httpContext.RequestAborted);
        }
    }

    /// <summary>The answer that was given before.</summary>
    sealed class Replayed(IdempotentAnswerRow known) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers[IdempotencyKeys.ReplayedHeader] = "true";
            if (known.Location is not null)
                httpContext.Response.Headers.Location = known.Location;
            if (known.Body is null)
            {
                await TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "It was done already",
                    detail: string.Create(CultureInfo.InvariantCulture, $"This was done at {known.At:u} and answered with a secret, which is shown once. If you do not have it, revoke {known.Location ?? "it"} and make another with a new {IdempotencyKeys.Header}."))
                    .ExecuteAsync(httpContext);
                return;
            }

            httpContext.Response.StatusCode = known.Status!.Value;
            if (known.Body.Length == 0)
                return;
            httpContext.Response.ContentType = "application/json; charset=utf-8";
            await httpContext.Response.WriteAsync(known.Body, httpContext.RequestAborted);
        }
    }
}
