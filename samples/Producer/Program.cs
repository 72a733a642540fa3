using Assay.Contracts;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// A service of another team: requests an audit, follows it to its end, and cancels a second one.
// Settings: RabbitMq__Host, __Port, __VirtualHost, __Username, __Password. Arguments: the engine of the first audit, that of the second.
var builder = Host.CreateApplicationBuilder();
var broker = builder.Configuration.GetSection("RabbitMq");
var engines = (First: args.ElementAtOrDefault(0) ?? "chatgpt", Second: args.ElementAtOrDefault(1) ?? "chatgpt");
var ended = new AuditEnds();
builder.Services.AddSingleton(ended);
builder.Services.AddMassTransit(bus =>
{
    // MassTransit reports its use to its makers unless told not to.
    bus.DisableUsageTelemetry();
    bus.AddConsumer<AuditFollower>();
    bus.UsingRabbitMq((context, transport) =>
    {
        transport.Host(broker["Host"] ?? "localhost", ushort.Parse(broker["Port"] ?? "5672"), broker["VirtualHost"] ?? "/", host =>
        {
            host.Username(broker["Username"] ?? "guest");
            host.Password(broker["Password"] ?? "guest");
        });
        // A producer may name its queues after its user only: see docs/broker-console.md.
        transport.ReceiveEndpoint($"{broker["Username"] ?? "producer"}-sample", endpoint =>
        {
            endpoint.SetQuorumQueue();
            endpoint.ConfigureConsumer<AuditFollower>(context);
        });
    });
});
builder.Services.Configure<MassTransitHostOptions>(options => options.WaitUntilStarted = true);

using var host = builder.Build();
await host.StartAsync();
var messages = host.Services.GetRequiredService<IBus>();
using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));

var first = Request("Anker", engines.First);
await messages.Publish(first, limit.Token);
Console.WriteLine($"requested {first.AuditId}");
Console.WriteLine(await ended.WaitAsync(first.AuditId, limit.Token));

var second = Request("Soundcore", engines.Second);
await messages.Publish(second, limit.Token);
await ended.WaitUntilAcceptedAsync(second.AuditId, limit.Token);
await messages.Publish(new CancelAudit { AuditId = second.AuditId, Reason = "the sample changed its mind", RequestedBy = "samples/Producer" }, limit.Token);
Console.WriteLine(await ended.WaitAsync(second.AuditId, limit.Token));
await host.StopAsync();

static RequestAudit Request(string brand, string engine) => new()
{
    AuditId = Guid.NewGuid(),
    Brand = new Brand { Name = brand },
    Competitors = [new Competitor { Name = "Sony" }, new Competitor { Name = "JBL" }],
    Queries = ["best earbuds for working out", "which earbuds last longest on one charge", "good cheap earbuds"],
    Engines = [engine],
    CeilingUsd = 1.00m,
    DeadlineMinutes = 5,
    RequestedBy = "samples/Producer",
};

/// <summary>Hears every event about audits; each may come more than once.</summary>
sealed class AuditFollower(AuditEnds ends) : IConsumer<AuditAccepted>, IConsumer<AuditRejected>, IConsumer<AuditProgressed>, IConsumer<AuditCompleted>, IConsumer<AuditFailed>, IConsumer<AuditCancelled>
{
    public Task Consume(ConsumeContext<AuditAccepted> context)
    {
        Console.WriteLine($"accepted {context.Message.AuditId}: {context.Message.PlannedCalls} calls, at most ${context.Message.WorstCaseUsd}");
        return ends.Accept(context.Message.AuditId);
    }

    public Task Consume(ConsumeContext<AuditProgressed> context)
    {
        Console.WriteLine($"{context.Message.Phase} {context.Message.AuditId}: {context.Message.CompletedCalls} of {context.Message.PlannedCalls} calls, ${context.Message.SpentUsd}");
        return Task.CompletedTask;
    }

    public Task Consume(ConsumeContext<AuditRejected> context) => ends.Tell(context.Message.AuditId, $"rejected {context.Message.AuditId}: {context.Message.Reason}. {context.Message.Detail}");

    public Task Consume(ConsumeContext<AuditCompleted> context) =>
        ends.Tell(context.Message.AuditId, $"completed {context.Message.AuditId}: visibility {context.Message.Scores["visibility"].Value:0.00}, spent ${context.Message.SpentUsd}");

    public Task Consume(ConsumeContext<AuditFailed> context) => ends.Tell(context.Message.AuditId, $"failed {context.Message.AuditId}: {context.Message.Reason}. {context.Message.Detail}");

    public Task Consume(ConsumeContext<AuditCancelled> context) => ends.Tell(context.Message.AuditId, $"cancelled {context.Message.AuditId}: {context.Message.Reason}");
}

/// <summary>How each audit ended, the first time it was told.</summary>
sealed class AuditEnds
{
    readonly System.Collections.Concurrent.ConcurrentDictionary<Guid, TaskCompletionSource<string>> ends = new();

    readonly System.Collections.Concurrent.ConcurrentDictionary<Guid, TaskCompletionSource> accepted = new();

    public Task Accept(Guid auditId)
    {
        accepted.GetOrAdd(auditId, _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
        return Task.CompletedTask;
    }

    public Task WaitUntilAcceptedAsync(Guid auditId, CancellationToken cancellationToken) =>
        accepted.GetOrAdd(auditId, _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).Task.WaitAsync(cancellationToken);

    public Task Tell(Guid auditId, string end)
    {
        Of(auditId).TrySetResult(end);
        return Task.CompletedTask;
    }

    public Task<string> WaitAsync(Guid auditId, CancellationToken cancellationToken) => Of(auditId).Task.WaitAsync(cancellationToken);

    TaskCompletionSource<string> Of(Guid auditId) => ends.GetOrAdd(auditId, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}
