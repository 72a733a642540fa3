using System.Diagnostics;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.LeaseSweep;
using Assay.LlmGateway.Ledger;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;

namespace Assay.LlmGateway.Pump;

/// <summary>
/// The calls of one engine in this instance: claimed ones wait here for the engine's limits, are stored as <c>Sending</c>, asked and recorded.
/// Nothing here holds a transaction while it waits.
/// </summary>
sealed partial class EngineLane
{
    /// <summary>
    /// A second after its commit began a permit is given back instead of used, and the engine lets no byte leave after it. A halt waits
    /// longer than that before it promises silence.
    /// </summary>
    static readonly TimeSpan PermitLife = TimeSpan.FromSeconds(1);

    /// <summary>The most calls that wait in a lane; about a batch.</summary>
    const int MostWaiting = 64;

    readonly Lock _lock = new();
    readonly LinkedList<ClaimedCall> _queue = new();
    readonly EngineLimiter _limiter = new();
    readonly SendPace _pace = new();
    readonly SemaphoreSlim _changed = new(0, 1);
    readonly EngineDefinition _engine;
    readonly LedgerWriter _writer;
    readonly GatewayOwner _owner;
    readonly RememberedCalls _remembered;
    readonly LedgerSignals _signals;
    readonly TimeProvider _time;
    readonly ILogger _logger;
    readonly ResiliencePipeline<Sent> _breaker;
    readonly CircuitBreakerStateProvider _breakerState = new();
    readonly TimeSpan _breakDuration;
    DateTimeOffset _breakEndsAt;

    /// <summary>What became of a dispatched call.</summary>
    readonly record struct Sent(SendPermit Permit, EngineOutcome? Outcome);

    public EngineLane(EngineDefinition engine, LedgerWriter writer, GatewayOwner owner, RememberedCalls remembered, LedgerSignals signals, LlmGatewayOptions options, TimeProvider time, ILogger<EngineLane> logger)
    {
        (_engine, _writer, _owner, _remembered, _signals, _time, _logger) = (engine, writer, owner, remembered, signals, time, logger);
        Limits = engine.Limits;
        _breakDuration = options.BreakerBreakDuration;
        _breaker = new ResiliencePipelineBuilder<Sent> { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<Sent>
            {
                FailureRatio = options.BreakerFailureRatio,
                MinimumThroughput = options.BreakerMinimumThroughput,
                SamplingDuration = options.BreakerSamplingDuration,
                BreakDuration = _breakDuration,
                StateProvider = _breakerState,
                ShouldHandle = sent => ValueTask.FromResult(sent.Outcome.Result.Outcome is { } outcome && (outcome.Class == OutcomeClass.Unknown || outcome is { Class: OutcomeClass.NotBilled, Retryable: true })),
                OnOpened = opened =>
                {
                    _breakEndsAt = _time.GetUtcNow() + opened.BreakDuration;
                    BreakerOpened(_logger, _engine.Name, opened.BreakDuration);
                    return ValueTask.CompletedTask;
                },
            }).Build();
    }

    public EngineDefinition Engine => _engine;

    /// <summary>What the engine bears over all instances.</summary>
    public EngineLimits Limits { get; set; }

    /// <summary>Whether an operator has paused this engine.</summary>
    public bool IsPaused { get; set; }

    /// <summary>Set while spending is halted, so that calls wait here instead of asking the ledger again and again.</summary>
    public bool IsHalted { get; set; }

    /// <summary>What calls of this engine wait for; null if nothing holds them up.</summary>
    public (string For, DateTimeOffset? Until)? Waiting { get; private set; }

    /// <summary>Until when the breaker lets nothing through; null if it is not open.</summary>
    public DateTime? BreakerUntil => IsBroken(_time.GetUtcNow()) ? _breakEndsAt.UtcDateTime : null;

    /// <summary>What <see cref="LedgerSignals.Work"/> was when the ledger had no calls for this lane that were not remembered.</summary>
    public long ExhaustedAt { get; set; } = -1;

    /// <summary>Whether nothing is sent from here, whatever is asked.</summary>
    public bool IsHeldUp => IsPaused || IsHalted || !_owner.IsRegistered || Share(Limits.RequestsPerMinute) is 0 || _owner.ShareOf(Limits.MaxConcurrency) == 0;

    /// <summary>
    /// How many more calls may be claimed: as many as there are slots wait here at most, or as were sent in the last second, and they are fetched
    /// when half of them are gone, so that one claim serves many calls and nothing is hoarded.
    /// </summary>
    public int Appetite
    {
        get
        {
            if (IsHeldUp)
                return 0;
            var slots = _owner.ShareOf(Limits.MaxConcurrency);
            lock (_lock)
            {
                var target = Math.Min(Math.Max(slots, _pace.LastSecond(_time.GetUtcNow())), MostWaiting);
                return _queue.Count > target / 2 ? 0 : target - _queue.Count;
            }
        }
    }

    public int OnTheWire
    {
        get
        {
            lock (_lock)
                return _limiter.InUse;
        }
    }

    public void Add(IEnumerable<ClaimedCall> calls)
    {
        lock (_lock)
        {
            foreach (var call in calls)
                _queue.AddLast(call);
        }

        Changed();
    }

    /// <summary>Takes back every call that is not being sent.</summary>
    public void DropQueue()
    {
        lock (_lock)
        {
            foreach (var call in _queue)
                call.Batch?.LoseCount();
            _queue.Clear();
        }
    }

    /// <summary>
    /// Takes out what can never be sent from here because the shares of a limit went to other instances. The caller gives it back to the
    /// ledger, or adds it again.
    /// </summary>
    public IReadOnlyList<ClaimedCall> TakeStranded()
    {
        var limits = Limits;
        if (_owner.ShareOf(limits.MaxConcurrency) > 0 && Share(limits.RequestsPerMinute) is not 0)
            return [];
        lock (_lock)
        {
            List<ClaimedCall> stranded = [.. _queue];
            _queue.Clear();
            return stranded;
        }
    }

    /// <summary>Wakes the dispatcher: a slot is free, a limit or a share has changed, a halt has ended.</summary>
    public void Changed()
    {
        try
        {
            _changed.Release();
        }
        catch (SemaphoreFullException)
        {
            // Already signalled.
        }
    }

    /// <summary>Dispatches until told to stop. Calls on the wire go on under <paramref name="wire"/>.</summary>
    public async Task RunAsync(CancellationToken stop, CancellationToken wire)
    {
        while (!stop.IsCancellationRequested)
        {
            ClaimedCall? next = null;
            TimeSpan wait;
            lock (_lock)
            {
                var now = _time.GetUtcNow();
                wait = NextWait(now);
                if (wait == TimeSpan.Zero)
                {
                    next = _queue.First!.Value;
                    _queue.RemoveFirst();
                    _limiter.Take(now, next.TokenBound);
                    _pace.Sent(now);
                }
            }

            if (next is not null && Appetite > 0)
                _signals.WakePumpForRoom();
            if (next is not null)
                _ = Task.Run(() => SendAsync(next, stop, wire), CancellationToken.None);
            else
                await ((Task)_changed.WaitAsync(wait, stop)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    TimeSpan NextWait(DateTimeOffset now)
    {
        var fallback = TimeSpan.FromSeconds(1);
        // What holds up the whole engine is told with nothing queued here too: calls are left in the ledger meanwhile.
        Waiting = IsHalted ? ("spending to be resumed", null)
            : IsPaused ? ($"engine {_engine.Name} to be resumed", null)
            : IsBroken(now) ? ($"engine {_engine.Name} to recover", _breakEndsAt)
            : _queue.First is { } first ? _limiter.WaitsFor(now, first.Value.TokenBound, _owner.ShareOf(Limits.MaxConcurrency), Share(Limits.RequestsPerMinute), Share(Limits.TokensPerMinute))
            : null;
        if (_queue.First is null)
            return fallback;
        if (Waiting is not { } waiting)
            return TimeSpan.Zero;
        return waiting.Until is { } until && until - now is var rest && rest < fallback ? Max(rest, TimeSpan.FromMilliseconds(5)) : fallback;
    }

    async Task SendAsync(ClaimedCall call, CancellationToken stop, CancellationToken wire)
    {
        var sent = default(Sent);
        Task<OutcomeDecision?>? recorded = null;
        var pause = TimeSpan.Zero;
        var broken = false;
        try
        {
            sent = await _breaker.ExecuteAsync(async _ => await AskAsync(call, wire), CancellationToken.None);
            // The outcome is in the writer's queue before the slot is free: a flush carries it together with the intent that takes the slot.
            if (sent.Permit.Verdict == Verdict.Send)
                recorded = _writer.RecordAsync(call, sent.Permit.TryId, sent.Outcome);
            if (sent.Outcome?.RetryAfter is { } retryAfter)
                PauseFor(retryAfter);
        }
        catch (BrokenCircuitException exception)
        {
            broken = true;
            pause = exception.RetryAfter ?? TimeSpan.FromMilliseconds(500);
        }
        finally
        {
            lock (_lock)
                _limiter.Free();
            Changed();
        }

        if (recorded is not null)
        {
            var decision = await recorded;
            if (decision is { Next: Next.Later })
                await ReturnLaterAsync(call with { Tries = call.Tries + (sent.Outcome is null ? 0 : 1) }, decision.Pause, stop);
            else if (decision is { Next: Next.Replan })
                _signals.WakePump();
        }
        else if (broken || sent.Permit.Verdict == Verdict.Again)
            await ReturnLaterAsync(call, pause, stop);
        else if (sent.Permit.Verdict == Verdict.Halted)
        {
            IsHalted = true;
            await ReturnLaterAsync(call, TimeSpan.Zero, stop);
        }
        else if (sent.Permit.Verdict == Verdict.Over)
            _remembered.Forget(call);
        else
            // The row moved or the owner is dead: somebody else decides this call.
            call.Batch?.LoseCount();
    }

    async Task<Sent> AskAsync(ClaimedCall call, CancellationToken wire)
    {
        var permit = await _writer.IntendAsync(call);
        if (permit.Verdict != Verdict.Send)
            return new(permit, null);
        if (Stopwatch.GetElapsedTime(permit.StoredAt) > PermitLife)
            return new(permit, null);
        using var asking = AuditTrace.GoOn("ask engine", call.TraceParent)?.SetTag("assay.audit_id", call.AuditId).SetTag("assay.engine", call.Engine.Name).SetTag("assay.call_key", call.CallKey);
        try
        {
            return new(permit, await call.Engine.Engine.AskAsync(call.Request with { WriteBy = permit.StoredAt + (long)(PermitLife.TotalSeconds * Stopwatch.Frequency) }, CallKey.OnTheWire(call.CallKey, call.InvalidTries), wire));
        }
        catch (OperationCanceledException) when (wire.IsCancellationRequested)
        {
            return new(permit, Unknown(CallReasons.OwnerLost));
        }
        catch (Exception exception)
        {
            // A fault of the engine's own code: whether a byte left, nobody can say. It is recorded as in doubt, not lost.
            EngineFailed(_logger, call.Engine.Name, call.CallKey, call.AuditId, exception);
            return new(permit, Unknown(CallReasons.ConnectionLost));
        }
    }

    EngineOutcome Unknown(string reason) => new() { Class = OutcomeClass.Unknown, State = CallStates.InDoubt, Reason = reason, Surface = _engine.Simulated ? Surfaces.Simulated : Surfaces.Api };

    async Task ReturnLaterAsync(ClaimedCall call, TimeSpan pause, CancellationToken stop)
    {
        if (pause > TimeSpan.Zero)
            await Task.Delay(pause, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_lock)
            _queue.AddFirst(call);
        Changed();
    }

    void PauseFor(TimeSpan retryAfter)
    {
        lock (_lock)
            _limiter.Pause(_time.GetUtcNow() + retryAfter, $"engine {_engine.Name}, which asked for a pause");
    }

    bool IsBroken(DateTimeOffset now) => _breakerState.CircuitState == CircuitState.Open && now < _breakEndsAt;

    int? Share(int? limit) => limit is { } whole ? _owner.ShareOf(whole) : null;

    static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    [LoggerMessage(LogLevel.Warning, "Engine {Engine} fails too often: nothing is sent to it for {Duration}")]
    static partial void BreakerOpened(ILogger logger, string engine, TimeSpan duration);

    [LoggerMessage(LogLevel.Error, "Engine {Engine} threw while it asked call {CallKey} of audit {AuditId}; the call is in doubt. Report this with the exception.")]
    static partial void EngineFailed(ILogger logger, string engine, string callKey, Guid auditId, Exception exception);
}
