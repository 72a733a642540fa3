using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.LlmGateway;
using Assay.Dashboard.Api;
using Assay.Dashboard.Engines;
using MassTransit;

namespace Assay.Dashboard.Spending;

/// <summary>The state of money, in dollars.</summary>
public sealed record SpendingView(bool Halted, string? HaltReason, string? HaltedBy, DateTime? HaltedAt, decimal BurnUsdPerMinute, IReadOnlyList<ScopeView> Scopes, IReadOnlyList<InDoubtView> InDoubt)
{
    /// <summary>What each engine cost on each day asked for, the latest day first.</summary>
    public IReadOnlyList<EngineSpendingView> ByDay { get; init; } = [];

    /// <summary>The scope of one day, or null if nothing was allocated on it.</summary>
    internal ScopeView? Day(DateTime day) => Scopes.FirstOrDefault(scope => scope.Scope == "day:" + day.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
}

/// <summary>What one engine cost on one UTC day.</summary>
public sealed record EngineSpendingView(string Day, string Engine, int Tries, int PaidTries, decimal SpentUsd, decimal InDoubtUsd, decimal ReservedUsd);

public sealed record ScopeView(string Scope, decimal CeilingUsd, decimal ReservedUsd, decimal SpentUsd, decimal OverrunUsd);

public sealed record InDoubtView(Guid AuditId, string CallKey, string Engine, string Query, string Reason, decimal WorstCaseUsd, DateTime SentAt, string? Since = null);

/// <summary>What became of a halt or resume.</summary>
public sealed record HaltView(bool Halted, string Reason, string By, DateTime At);

/// <summary>Asks the gateway, which alone knows money and engines.</summary>
sealed class GatewayClient(
    IRequestClient<GetSpending> spending, IRequestClient<HaltSpending> halt, IRequestClient<ResumeSpending> resume,
    IRequestClient<GetEngines> engines, IRequestClient<QuoteAudit> quotes, IRequestClient<PauseEngine> pause, IRequestClient<ResumeEngine> resumeEngine, IRequestClient<SetEngineLimits> limits, RequestTurns turns)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public async Task<SpendingView> SpendingAsync(Guid? auditId, int days, CancellationToken cancellationToken)
    {
        var status = await AskAsync("the state of spending", () => spending.GetResponse<SpendingStatus>(new GetSpending { AuditId = auditId, Days = days }, cancellationToken, Patience));
        return new SpendingView(status.Halted, status.HaltReason, status.HaltedBy, status.HaltedAt, MicroUsd.ToUsd(status.BurnMicroUsdPerMinute),
            [.. status.Scopes.Select(s => new ScopeView(s.Scope, MicroUsd.ToUsd(s.CeilingMicroUsd), MicroUsd.ToUsd(s.ReservedMicroUsd), MicroUsd.ToUsd(s.SpentMicroUsd), MicroUsd.ToUsd(s.OverrunMicroUsd)))],
            [.. status.InDoubt.Select(c => new InDoubtView(c.AuditId, c.CallKey, c.Engine, c.Query, c.Reason, MicroUsd.ToUsd(c.WorstCaseMicroUsd), c.SentAt, c.Since))])
        {
            ByDay = [.. status.ByDay.Select(d => new EngineSpendingView(d.Day, d.Engine, d.Tries, d.PaidTries, MicroUsd.ToUsd(d.SpentMicroUsd), MicroUsd.ToUsd(d.InDoubtMicroUsd), MicroUsd.ToUsd(d.ReservedMicroUsd)))],
        };
    }

    /// <summary>Returns once no call can leave any more.</summary>
    public async Task<HaltView> HaltAsync(string reason, string by, CancellationToken cancellationToken)
    {
        var halted = await AskAsync("to halt spending", () => halt.GetResponse<SpendingHalted>(new HaltSpending { Reason = reason, RequestedBy = by }, cancellationToken, Patience));
        return new HaltView(true, halted.Reason, halted.HaltedBy, halted.HaltedAt);
    }

    public async Task<HaltView> ResumeAsync(string reason, string by, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await resume.GetResponse<SpendingResumed, SpendingHalted>(new ResumeSpending { Reason = reason, RequestedBy = by }, cancellationToken, Patience);
            // A ledger that was restored to an earlier point stays halted until its recovery.
            return answer.Message is SpendingHalted halted
                ? new HaltView(true, halted.Reason, halted.HaltedBy, halted.HaltedAt)
                : answer.Message is SpendingResumed resumed ? new HaltView(false, resumed.Reason, resumed.ResumedBy, resumed.ResumedAt)
                : throw new InvalidOperationException($"The gateway was asked to resume spending and answered with {answer.Message.GetType().Name}.");
        }
        catch (Exception exception) when (exception is RequestTimeoutException or RequestFaultException)
        {
            throw new GatewayUnavailableException($"The gateway was asked to resume spending and did not answer: {exception.Message} Check that it runs (/health/ready), then ask again.", exception);
        }
    }

    public Task<EngineList> EnginesAsync(CancellationToken cancellationToken) =>
        AskAsync("for its engines", () => engines.GetResponse<EngineList>(new GetEngines(), cancellationToken, Patience));

    public Task<EngineOutcome> PauseEngineAsync(string engine, string reason, string by, CancellationToken cancellationToken) =>
        ChangeAsync(engine, $"to pause {engine}", () => pause.GetResponse<EngineList, EngineNotChanged>(new PauseEngine { Engine = engine, Reason = reason, RequestedBy = by }, cancellationToken, Patience));

    public Task<EngineOutcome> ResumeEngineAsync(string engine, string reason, string by, CancellationToken cancellationToken) =>
        ChangeAsync(engine, $"to resume {engine}", () => resumeEngine.GetResponse<EngineList, EngineNotChanged>(new ResumeEngine { Engine = engine, Reason = reason, RequestedBy = by }, cancellationToken, Patience));

    public Task<EngineOutcome> SetEngineLimitsAsync(string engine, LimitsBody wanted, string by, CancellationToken cancellationToken) =>
        ChangeAsync(engine, $"to set the limits of {engine}", () => limits.GetResponse<EngineList, EngineNotChanged>(new SetEngineLimits
        {
            Engine = engine, MaxConcurrency = wanted.MaxConcurrency, RequestsPerMinute = wanted.RequestsPerMinute, TokensPerMinute = wanted.TokensPerMinute, Reason = wanted.Reason!, RequestedBy = by,
        }, cancellationToken, Patience));

    public Task<AuditQuoted> QuoteAsync(RequestAudit request, CancellationToken cancellationToken) =>
        AskAsync("for a quote", () => quotes.GetResponse<AuditQuoted>(new QuoteAudit { AuditId = request.AuditId, Audit = request }, cancellationToken, Patience));

    async Task<EngineOutcome> ChangeAsync(string engine, string what, Func<Task<Response<EngineList, EngineNotChanged>>> ask)
    {
        var response = await PatientlyAsync(what, ask);
        return response.Is<EngineList>(out var list) ? new EngineOutcome(list.Message.Engines.FirstOrDefault(e => e.Engine == engine), null)
            : response.Is<EngineNotChanged>(out var refused) ? new EngineOutcome(null, refused.Message.Detail)
            : throw new InvalidOperationException($"The gateway was asked {what} and answered with {response.Message.GetType().Name}.");
    }

    async Task<T> AskAsync<T>(string what, Func<Task<Response<T>>> ask) where T : class => (await PatientlyAsync(what, ask)).Message;

    async Task<T> PatientlyAsync<T>(string what, Func<Task<T>> ask)
    {
        turns.Leave();
        try
        {
            return await ask();
        }
        catch (Exception exception) when (exception is RequestTimeoutException or RequestFaultException)
        {
            throw new GatewayUnavailableException($"The gateway was asked {what} and did not answer: {exception.Message} Check that it runs (/health/ready), then ask again.", exception);
        }
    }
}

/// <summary>The gateway did not answer. What was asked may still happen.</summary>
sealed class GatewayUnavailableException(string message, Exception inner) : Exception(message, inner);
