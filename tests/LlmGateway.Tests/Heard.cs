using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.LlmGateway;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.Extensions.Hosting;

namespace Assay.LlmGateway;

/// <summary>What the gateway has said on the bus.</summary>
public sealed class Heard
{
    readonly ConcurrentDictionary<Guid, ConcurrentQueue<object>> _messages = new();

    public IReadOnlyList<T> Of<T>(Guid auditId)
        where T : class => _messages.TryGetValue(auditId, out var own) ? [.. own.OfType<T>()] : [];

    /// <summary>For long runs, whose messages would be most of the memory.</summary>
    public void Forget() => _messages.Clear();

    /// <summary>What a saga that heard the same would say of the ledger.</summary>
    public LedgerSeen Seen()
    {
        var opened = _messages.Values.Select(own => own.OfType<BudgetOpened>().MaxBy(budget => budget.LedgerSequence)).OfType<BudgetOpened>().ToList();
        return new LedgerSeen
        {
            HighestSequence = opened.Count == 0 ? 0 : opened.Max(budget => budget.LedgerSequence),
            Audits =
            [
                .. opened.Select(budget => new SeenBudget
                {
                    AuditId = budget.AuditId, Attempt = budget.Attempt, State = "Asking", Live = true, LedgerSequence = budget.LedgerSequence, LastProgressAt = DateTime.UtcNow,
                    ReportVersion = Of<BudgetReported>(budget.AuditId).Select(report => report.Version).DefaultIfEmpty().Max(),
                    SpentMicroUsd = Of<BudgetReported>(budget.AuditId).Select(report => report.SpentMicroUsd).DefaultIfEmpty().Max(),
                }),
            ],
        };
    }

    /// <summary>As a saga fails what is live; here that is every audit once opened.</summary>
    public LiveAuditsFailed FailLive() => new() { AuditIds = [.. Seen().Audits.Select(audit => audit.AuditId)] };

    public void Add(Guid auditId, object message) => _messages.GetOrAdd(auditId, _ => new()).Enqueue(message);

    public static async Task<T> EventuallyAsync<T>(Func<T?> look, TimeSpan patience)
        where T : class => (await EventuallyAsync(() => Task.FromResult(look()), found => found is not null, patience))!;

    /// <summary>Looks until what is seen is as it should be.</summary>
    /// <exception cref="TimeoutException">It never was; the message shows what was seen last.</exception>
    public static async Task<T> EventuallyAsync<T>(Func<Task<T>> look, Func<T, bool> reached, TimeSpan patience)
    {
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            var seen = await look();
            if (reached(seen))
                return seen;
            if (Stopwatch.GetElapsedTime(since) > patience)
                throw new TimeoutException($"No {typeof(T).Name} as expected within {patience}; the last one: {JsonSerializer.Serialize(seen)}");
            await Task.Delay(20);
        }
    }
}

/// <summary>Hears what saga and Analyzer would hear.</summary>
public sealed class ListenerModule : AssayModule
{
    public override string Name => "Listener";

    public override void AddServices(IHostApplicationBuilder builder, AssayDatabase database)
    {
    }

    public override void AddConsumers(IBusRegistrationConfigurator bus) => bus.AddConsumer<GatewayListener>();
}

public sealed class GatewayListener(Heard heard) : IConsumer<BudgetOpened>, IConsumer<BudgetRefused>, IConsumer<EngineAnswered>, IConsumer<BudgetReported>, IConsumer<BatchAlive>, IConsumer<GetLedgerSeen>, IConsumer<FailLiveAudits>
{
    public Task Consume(ConsumeContext<BudgetOpened> context) => HearAsync(context.Message.AuditId, context.Message);
    public Task Consume(ConsumeContext<BudgetRefused> context) => HearAsync(context.Message.AuditId, context.Message);
    public Task Consume(ConsumeContext<EngineAnswered> context) => HearAsync(context.Message.AuditId, context.Message);
    public Task Consume(ConsumeContext<BudgetReported> context) => HearAsync(context.Message.AuditId, context.Message);
    public Task Consume(ConsumeContext<BatchAlive> context) => HearAsync(context.Message.AuditId, context.Message);

    public Task Consume(ConsumeContext<GetLedgerSeen> context) => context.RespondAsync(heard.Seen());

    public Task Consume(ConsumeContext<FailLiveAudits> context) => context.RespondAsync(heard.FailLive());

    Task HearAsync(Guid auditId, object message)
    {
        heard.Add(auditId, message);
        return Task.CompletedTask;
    }
}
