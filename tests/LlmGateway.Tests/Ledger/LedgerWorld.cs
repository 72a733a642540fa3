using Assay.Contracts;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.AskEngine;
using Assay.LlmGateway.CloseBudget;
using Assay.LlmGateway.Database;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.LeaseSweep;
using Assay.LlmGateway.OpenBudget;
using Assay.LlmGateway.Pump;
using Assay.LlmGateway.Restore;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using NSubstitute;
using AskEngineMessage = Assay.Contracts.Internal.LlmGateway.AskEngine;
using CloseBudgetMessage = Assay.Contracts.Internal.LlmGateway.CloseBudget;
using OpenBudgetMessage = Assay.Contracts.Internal.LlmGateway.OpenBudget;

namespace Assay.LlmGateway.Ledger;

/// <summary>
/// The real ledger with its clockwork taken out: two workers whose every step a test takes by hand, in any order, and a provider that keeps
/// its own bill. A crash forgets what a worker knew and nothing else.
/// </summary>
sealed class LedgerWorld : IAsyncDisposable
{
    public const int Audits = 3;
    public const int Workers = 2;

    readonly WebApplication _app;
    readonly LedgerTransactions _transactions;
    readonly List<Worker> _workers = [];
    readonly List<Worker> _ghosts = [];
    readonly TestEngine _engine = new(maxTries: 3);
    readonly RequestAudit[] _requests;
    readonly int[] _attempts = new int[Audits];
    readonly bool[] _closed = new bool[Audits];
    readonly AskEngineMessage?[] _asked = new AskEngineMessage?[Audits];
    readonly bool[] _askedOther = new bool[Audits];
    readonly Dictionary<string, int> _billed = new(StringComparer.Ordinal);
    readonly Lock _bill = new();
    bool _halted;

    LedgerWorld(WebApplication app)
    {
        _app = app;
        _transactions = app.Services.GetRequiredService<LedgerTransactions>();
        _requests = [.. Enumerable.Range(0, Audits).Select(i => Requests.Audit(Requests.Queries(4), ceilingUsd: i == 1 ? 0.03m : 0.0045m, inDoubt: i == 2 ? InDoubtPolicies.AskAgain : InDoubtPolicies.Keep))];
        Array.Fill(_closed, true);
    }

    sealed class Worker
    {
        public required GatewayOwner Owner { get; init; }
        public required LedgerWriter Writer { get; init; }
        public required CallClaim Claim { get; init; }
        public required RememberedCalls Remembered { get; init; }
        public required OwnerSweep Sweep { get; init; }
        public List<ClaimedCall> Claimed { get; } = [];
        public List<(ClaimedCall Call, Guid TryId)> OnTheWire { get; } = [];
        public List<(ClaimedCall Call, Guid TryId, EngineOutcome? Outcome)> Recorded { get; } = [];
    }

    public static async Task<LedgerWorld> CreateAsync(AssayDatabase database)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.Sources.Clear();
        // The day pays for two audits at their ceilings.
        builder.Configuration.AddInMemoryCollection([new("LlmGateway:DailyCeilingUsd", "0.009")]);
        builder.Logging.ClearProviders();
        var module = new LlmGatewayModule();
        builder.Services.AddSingleton<IEngineCatalog>(new TestEngine());
        module.AddServices(builder, database);
        builder.AddAssayInMemoryBus([module]);
        var app = builder.Build();
        // No bus runs here, and nobody has seen this ledger before.
        app.Services.GetRequiredService<LedgerContinuity>().Confirm();
        await using (var scope = app.Services.CreateAsyncScope())
            await scope.ServiceProvider.GetRequiredService<LlmGatewayDbContext>().Database.MigrateAsync();
        var world = new LedgerWorld(app);
        for (var i = 0; i < Workers; i++)
            world._workers.Add(await world.NewWorkerAsync());
        return world;
    }

    /// <summary>One step; what it means depends on what there is.</summary>
    public async Task StepAsync(LedgerStep step)
    {
        var (audit, worker) = (step.Audit % Audits, _workers[step.Worker % Workers]);
        switch (step.Kind)
        {
            case StepKind.Open when _closed[audit] && _attempts[audit] < 3:
                _attempts[audit]++;
                _closed[audit] = false;
                _asked[audit] = null;
                _askedOther[audit] = false;
                await OpenAsync(audit, askAgain: step.Choice % 2 == 0);
                break;
            case StepKind.OpenAgain when _attempts[audit] > 0:
                await OpenAsync(audit, askAgain: false);
                break;
            case StepKind.Ask when _asked[audit] is null && await IsOpenAsync(audit):
                await AskAsync(worker, _asked[audit] = Requests.Ask(_requests[audit], _attempts[audit], queries: [.. _requests[audit].Queries!, "best earbuds 1"]), step.Choice);
                break;
            case StepKind.AskOther when !_askedOther[audit] && await IsOpenAsync(audit):
                // Its calls are those of the audit's first batch, or will be.
                _askedOther[audit] = true;
                await AskAsync(worker, Requests.Ask(_requests[audit], _attempts[audit], queries: [.. _requests[audit].Queries!.Skip(1).Take(2)]), step.Choice);
                break;
            case StepKind.AskAgain when _asked[audit] is { } message:
                await AskAsync(worker, message, step.Choice);
                break;
            case StepKind.Claim:
                worker.Claimed.AddRange((await worker.Claim.RunAsync(_engine.Definition, 1 + step.Choice % 4, mayLook: true, CancellationToken.None)).Calls);
                break;
            case StepKind.Send:
                await SendAsync(worker, step.Choice);
                break;
            case StepKind.Record:
                await RecordAsync(worker, step.Choice);
                break;
            case StepKind.RecordAgain when worker.Recorded.Count > 0:
                var again = worker.Recorded[step.Choice % worker.Recorded.Count];
                (await worker.Writer.RecordAsync(again.Call, again.TryId, again.Outcome)).ShouldBeNull("an outcome is applied once");
                break;
            case StepKind.UnknownCommit:
                await LoseCommitAsync(worker, step.Choice);
                break;
            case StepKind.Crash:
                await ExpireAsync(worker);
                _workers[step.Worker % Workers] = await NewWorkerAsync();
                break;
            case StepKind.Freeze:
                // Its lease runs out while it is frozen; its successor takes over, and it comes back as a ghost that finishes what it had begun.
                await ExpireAsync(worker);
                lock (_bill)
                    _ghosts.Add(worker);
                _workers[step.Worker % Workers] = await NewWorkerAsync();
                break;
            case StepKind.Thaw when GhostOf(step) is { } ghost:
                await SendAsync(ghost, step.Choice);
                await RecordAsync(ghost, step.Choice);
                break;
            case StepKind.Sweep:
                await worker.Sweep.RunAsync(CancellationToken.None);
                await _app.Services.GetRequiredService<BudgetQueue>().MoveAsync(CancellationToken.None);
                break;
            case StepKind.Halt:
                var halted = step.Choice % 2 == 0;
                _halted &= halted;
                await QueryAsync(database => database.Halts.ExecuteUpdateAsync(row => row
                    .SetProperty(halt => halt.Halted, halted ? 1 : 0).SetProperty(halt => halt.Reason, "test").SetProperty(halt => halt.HaltedAt, DateTime.UtcNow)));
                _halted = halted;
                break;
            case StepKind.Close when _attempts[audit] > 0:
                var attempt = _attempts[audit];
                await ConsumeAsync<CloseBudgetConsumer, CloseBudgetMessage>(new CloseBudgetMessage { AuditId = _requests[audit].AuditId, Attempt = attempt, Reason = "test" });
                _closed[audit] |= attempt == _attempts[audit];
                break;
        }
    }

    /// <summary>The ledger agrees with itself, and with the provider.</summary>
    public async Task ShouldHoldAsync()
    {
        await QueryAsync(async database =>
        {
            await LedgerInvariants.ShouldHoldAsync(database);
            var tries = await database.PaidTries.AsNoTracking().ToListAsync();
            Dictionary<string, int> billed;
            lock (_bill)
                billed = new(_billed, StringComparer.Ordinal);
            foreach (var (key, count) in billed)
            {
                var permitted = tries.Where(attempt => key.StartsWith(attempt.CallKey, StringComparison.Ordinal)).Sum(attempt => attempt.Permitted);
                count.ShouldBeLessThanOrEqualTo(1 + permitted, $"{key} was billed more often than anyone permitted");
            }

            // What a closed attempt left undone belongs to the attempt that waits for it.
            (await database.Batches.Where(batch => database.AuditBudgets.Any(budget => budget.AuditId == batch.AuditId && budget.Attempt == batch.Attempt && budget.State == BudgetStates.Open))
                    .Join(database.Questions, batch => batch.BatchId, question => question.BatchId, (batch, question) => new { batch.Attempt, question.CallKey })
                    .Join(database.PaidCalls, question => question.CallKey, call => call.CallKey, (question, call) => new { question.Attempt, Call = call })
                    .CountAsync(asked => asked.Call.State == CallStates.Declined && asked.Call.Attempt < asked.Attempt))
                .ShouldBe(0, "a live attempt gets no refusal of an earlier one");

            // The least that a billed answer costs here; the whole ledger, with what is reserved on the wire, is never below the bill.
            var known = tries.Sum(attempt => attempt.State == TryStates.Sending ? attempt.ReservedMicroUsd : attempt.SpentMicroUsd);
            known.ShouldBeGreaterThanOrEqualTo(billed.Values.Sum() * 105L, "the ledger knows of all that was billed");
            return true;
        });
    }

    /// <summary>Lets everything end: no more permissions, no more failures. Then nothing may be reserved anywhere.</summary>
    public async Task EndAsync()
    {
        await StepAsync(new LedgerStep(StepKind.Halt, 0, 0, 1));
        foreach (var worker in _workers.Concat(_ghosts))
            while (worker.OnTheWire.Count > 0)
                await RecordAsync(worker, choice: 0);
        for (var i = 0; i < Audits; i++)
            await StepAsync(new LedgerStep(StepKind.Close, i, 0, 0));
        foreach (var worker in _workers.ToList())
            await ExpireAsync(worker);
        _workers[0] = await NewWorkerAsync();
        await _workers[0].Sweep.RunAsync(CancellationToken.None);
        await ShouldHoldAsync();
        (await QueryAsync(database => database.Spending.SumAsync(row => row.ReservedMicroUsd))).ShouldBe(0, "nothing stays reserved");
        (await QueryAsync(database => database.Batches.CountAsync(batch => batch.FinishedAt == null))).ShouldBe(0, "every batch ends");
    }

    async Task SendAsync(Worker worker, int choice)
    {
        if (worker.Claimed.Count == 0)
            return;
        var call = worker.Claimed[choice % worker.Claimed.Count];
        worker.Claimed.Remove(call);
        var (haltedBefore, closedBefore) = (_halted, IsClosed(call));
        var permit = await worker.Writer.IntendAsync(call);
        if (permit.Verdict == Verdict.Send)
        {
            (haltedBefore && _halted).ShouldBeFalse("nothing becomes Sending while spending is halted");
            closedBefore.ShouldBeFalse("nothing becomes Sending after its audit was closed");
            worker.OnTheWire.Add((call, permit.TryId));
        }
        else if (permit.Verdict == Verdict.Halted)
            worker.Claimed.Add(call);
    }

    /// <summary>Each worker's steps thaw ghosts of their own, so that steps at the same time never move the same one.</summary>
    Worker? GhostOf(LedgerStep step)
    {
        lock (_bill)
        {
            var mine = _ghosts.Where((_, i) => i % Workers == step.Worker % Workers).ToList();
            return mine.Count == 0 ? null : mine[step.Choice % mine.Count];
        }
    }

    bool IsClosed(ClaimedCall call)
    {
        var audit = Array.FindIndex(_requests, request => request.AuditId == call.AuditId);
        return _closed[audit] || _attempts[audit] > call.Attempt;
    }

    async Task RecordAsync(Worker worker, int choice)
    {
        if (worker.OnTheWire.Count == 0)
            return;
        var (call, tryId) = worker.OnTheWire[choice % worker.OnTheWire.Count];
        worker.OnTheWire.RemoveAt(choice % worker.OnTheWire.Count);
        var wireKey = CallKey.OnTheWire(call.CallKey, call.InvalidTries);
        var outcome = (choice / 7 % 7) switch
        {
            0 or 1 => Billed(TestEngine.Answer("answer")),
            2 => TestEngine.Busy(),
            3 => TestEngine.Rejected,
            4 => choice % 2 == 0 ? Billed(TestEngine.Unknown) : TestEngine.Unknown,
            5 => Billed(TestEngine.Unreadable),
            _ => null,
        };
        var decision = await worker.Writer.RecordAsync(call, tryId, outcome);
        worker.Recorded.Add((call, tryId, outcome));
        if (decision is { Next: Next.Later })
            worker.Claimed.Add(call with { Tries = call.Tries + (outcome is null ? 0 : 1) });

        EngineOutcome Billed(EngineOutcome paid)
        {
            lock (_bill)
                _billed[wireKey] = _billed.GetValueOrDefault(wireKey) + 1;
            return paid;
        }
    }

    /// <summary>The commit went through and nobody heard of it: the try is taken back by its id, unsent.</summary>
    static async Task LoseCommitAsync(Worker worker, int choice)
    {
        if (worker.Claimed.Count == 0)
            return;
        var call = worker.Claimed[choice % worker.Claimed.Count];
        worker.Claimed.Remove(call);
        var permit = await worker.Writer.IntendAsync(call);
        if (permit.Verdict == Verdict.Halted)
            worker.Claimed.Add(call);
        if (permit.Verdict == Verdict.Send && await worker.Writer.RecordAsync(call, permit.TryId, null) is { Next: Next.Later })
            worker.Claimed.Add(call);
    }

    async Task ExpireAsync(Worker worker) =>
        await QueryAsync(database => database.Instances.Where(instance => instance.Owner == worker.Owner.Current).ExecuteUpdateAsync(row => row.SetProperty(instance => instance.LeaseUntil, DateTime.UtcNow.AddMinutes(-1))));

    async Task<Worker> NewWorkerAsync()
    {
        var (services, options, meters, signals) = (_app.Services, _app.Services.GetRequiredService<IOptions<LlmGatewayOptions>>(), _app.Services.GetRequiredService<GatewayMeters>(), _app.Services.GetRequiredService<LedgerSignals>());
        var loggers = services.GetRequiredService<ILoggerFactory>();
        var ownerLock = new SoleOwnerLock();
        var owner = new GatewayOwner(_transactions, ownerLock, services.GetRequiredService<LedgerContinuity>(), options, loggers.CreateLogger<GatewayOwner>());
        await owner.RegisterAsync(CancellationToken.None);
        var writer = new LedgerWriter(_transactions, owner, signals, meters, options, loggers.CreateLogger<LedgerWriter>());
        _ = Task.Run(() => writer.RunAsync(CancellationToken.None));
        // Whose commit is unheard of is given up at once, also while it is still being made.
        var remembered = new RememberedCalls(unconfirmedAfter: TimeSpan.Zero);
        return new Worker { Owner = owner, Writer = writer, Remembered = remembered, Claim = new CallClaim(_transactions, owner, remembered, meters), Sweep = new OwnerSweep(_transactions, owner, ownerLock, options, loggers.CreateLogger<OwnerSweep>()) };
    }

    Task OpenAsync(int audit, bool askAgain) =>
        ConsumeAsync<OpenBudgetConsumer, OpenBudgetMessage>(Requests.Open(_requests[audit], _attempts[audit], askAgain));

    /// <summary>Two of three batches are owned from the start, and of the commit of one of these nobody hears.</summary>
    Task AskAsync(Worker worker, AskEngineMessage message, int choice)
    {
        var taker = new ChosenTaker(choice % 3 == 0 ? null : worker.Owner.Current);
        return ConsumeAsync<AskEngineConsumer, AskEngineMessage>(message, isHeard: choice % 3 < 2, taker, worker.Remembered);
    }

    sealed class ChosenTaker(Guid? taker) : ICallTaker
    {
        public Guid? TakerOf(EngineDefinition engine, int calls) => taker;
    }

    Task<bool> IsOpenAsync(int audit)
    {
        var id = _requests[audit].AuditId;
        return QueryAsync(database => database.AuditBudgets.AnyAsync(budget => budget.AuditId == id && budget.State == BudgetStates.Open));
    }

    /// <summary>A consumer in its own transaction, as the endpoint runs it.</summary>
    Task ConsumeAsync<TConsumer, TMessage>(TMessage message)
        where TConsumer : class, IConsumer<TMessage>
        where TMessage : class =>
        ConsumeAsync<TConsumer, TMessage>(message, isHeard: true);

    async Task ConsumeAsync<TConsumer, TMessage>(TMessage message, bool isHeard, params object[] parts)
        where TConsumer : class, IConsumer<TMessage>
        where TMessage : class
    {
        await using var scope = _app.Services.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<LlmGatewayDbContext>();
        await using var transaction = await database.Database.BeginTransactionAsync();
        var context = Substitute.For<ConsumeContext<TMessage>>();
        context.Message.Returns(message);
        await ActivatorUtilities.CreateInstance<TConsumer>(scope.ServiceProvider, parts).Consume(context);
        if (!isHeard)
            database.Committed = null;
        await transaction.CommitAsync();
    }

    async Task<T> QueryAsync<T>(Func<LlmGatewayDbContext, Task<T>> query)
    {
        await using var scope = _app.Services.CreateAsyncScope();
        return await query(scope.ServiceProvider.GetRequiredService<LlmGatewayDbContext>());
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in _workers.Concat(_ghosts))
            worker.Writer.Complete();
        await _app.DisposeAsync();
    }
}

enum StepKind
{
    Open, OpenAgain, Ask, AskOther, AskAgain, Claim, Send, Record, RecordAgain, UnknownCommit, Crash, Freeze, Thaw, Sweep, Halt, Close,
}

sealed record LedgerStep(StepKind Kind, int Audit, int Worker, int Choice);
