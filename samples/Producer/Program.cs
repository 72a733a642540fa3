using Assay.Contracts;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// A service of another team: requests an audit, follows it to its end, and cancels a second one.
// Settings: RabbitMq__Host, __Port, __VirtualHost, __Username, __Password; the engine's name as the only argument.
var builder = Host.CreateApplicationBuilder();
var broker = builder.Configuration.GetSection("RabbitMq");
var engine = args.FirstOrDefault() ?? "chatgpt";
var ended = new AuditEnds();
builder.Services.AddSingleton(ended);
builder.Services.AddMassTransit(bus =>
{
    bus.AddConsumer<AuditFollower>();
    bus.UsingRabbitMq((context, transport) =>
    {
        transport.Host(broker["Host"] ?? "localhost", ushort.Parse(broker["Port"] ?? "5672"), broker["VirtualHost"] ?? "/", host =>
        {
            host.Username(broker["Username"] ?? "guest");
            host.Password(broker["Password"] ?? "guest");
        });
        transport.ReceiveEndpoint("producer-sample", endpoint =>
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

var first = Request("Anker", deadlineMinutes: 5);
await messages.Publish(first, limit.Token);
Console.WriteLine($"requested {first.AuditId}");
Console.WriteLine(await ended.WaitAsync(first.AuditId, limit.Token));

var second = Request("Soundcore", deadlineMinutes: 5);
await messages.Publish(second, limit.Token);
await messages.Publish(new CancelAudit { AuditId = second.AuditId, Reason = "the sample changed its mind", RequestedBy = "samples/Producer" }, limit.Token);
Console.WriteLine(await ended.WaitAsync(second.AuditId, limit.Token));
await host.StopAsync();

RequestAudit Request(string brand, double deadlineMinutes) => new()
{
    AuditId = Guid.NewGuid(),
    Brand = new Brand { Name = brand },
    Competitors = [new Competitor { Name = "Sony" }, new Competitor { Name = "JBL" }],
    Queries = ["best earbuds for working out", "which earbuds last longest on one charge", "good cheap earbuds"],
    Engines = [engine],
    CeilingUsd = 1.00m,
    DeadlineMinutes = deadlineMinutes,
    RequestedBy = "samples/Producer",
};

/// <summary>Hears every event about audits; each may come more than once.</summary>
sealed class AuditFollower(AuditEnds ends) : IConsumer<AuditAccepted>, IConsumer<AuditRejected>, IConsumer<AuditCompleted>, IConsumer<AuditFailed>, IConsumer<AuditCancelled>
{
    public Task Consume(ConsumeContext<AuditAccepted> context)
    {
        Console.WriteLine($"accepted {context.Message.AuditId}: {context.Message.PlannedCalls} calls, at most ${context.Message.WorstCaseUsd}");
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

    public Task Tell(Guid auditId, string end)
    {
        Of(auditId).TrySetResult(end);
        return Task.CompletedTask;
    }

    public Task<string> WaitAsync(Guid auditId, CancellationToken cancellationToken) => Of(auditId).Task.WaitAsync(cancellationToken);

    TaskCompletionSource<string> Of(Guid auditId) => ends.GetOrAdd(auditId, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}
