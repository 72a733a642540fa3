using Assay.TestServers;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using RabbitMQ.Client;

namespace Assay.ServiceDefaults.Tests;

/// <summary>A command that its consumer refuses until it is mended.</summary>
public sealed record Weigh
{
    public required Guid AuditId { get; init; }
    public required string What { get; init; }
}

/// <summary>A host as production composes it, on a real broker, with one consumer.</summary>
public sealed class FaultedMessagesOnABroker : IAsyncLifetime
{
    static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);
    readonly Scales scales = new();
    IHost? host;
    string virtualHost = "";
    PrivateRabbitMq? broker;

    IFaultedMessages Messages => host!.Services.GetRequiredService<IFaultedMessages>();

    public async Task InitializeAsync()
    {
        broker = await PrivateRabbitMq.Shared;
        virtualHost = await broker.CreateVirtualHostAsync("faulted");
        host = BrokerHost.Build(broker, [new Module()], services: services => services.AddSingleton(scales), settings: ("VirtualHost", virtualHost));
        await host.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await host!.StopAsync();
        host.Dispose();
    }

    [Fact]
    [Trait("Needs", "Servers")]
    public async Task Should_show_what_faulted_and_send_it_again_once_mended()
    {
        Guid[] audits = [Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid()];
        foreach (var audit in audits)
            await PublishAsync(new Weigh { AuditId = audit, What = "feather" });

        var queue = await QueueAsync("weigh_error", 3);
        queue.Messages.Select(message => message.AuditId!.Value).ShouldBe(audits, ignoreOrder: true);
        var first = queue.Messages.Single(message => message.AuditId == audits[0]);
        first.FaultType.ShouldBe("System.InvalidOperationException");
        first.FaultText.ShouldBe("The scales are broken.");
        first.MessageType.ShouldBe("Weigh");
        first.Destination.ShouldBe("weigh");
        first.FaultedAt.ShouldNotBeNull();
        first.StackTrace.ShouldNotBeNull().ShouldContain("Consume");
        first.Body.ShouldContain("feather");

        // One by one.
        scales.Work = true;
        (await Messages.SendAgainAsync("weigh_error", message => message.Key == first.Key, CancellationToken.None)).ShouldBe(1);
        await WeighedAsync([audits[0]]);
        (await QueueAsync("weigh_error", 2)).Messages.ShouldNotContain(message => message.Key == first.Key);

        // As a group.
        (await Messages.SendAgainAsync("weigh_error", message => message.FaultType == first.FaultType, CancellationToken.None)).ShouldBe(2);
        await WeighedAsync(audits);
        (await LookAsync()).ShouldBeEmpty();
        scales.Weighed.Count.ShouldBe(3);
    }

    [Fact]
    [Trait("Needs", "Servers")]
    public async Task Should_fault_again_behind_the_others_while_the_cause_stays()
    {
        var audit = Guid.NewGuid();
        await PublishAsync(new Weigh { AuditId = audit, What = "stone" });
        var before = (await QueueAsync("weigh_error", 1)).Messages.Single();
        (await Messages.SendAgainAsync("weigh_error", _ => true, CancellationToken.None)).ShouldBe(1);
        var after = (await QueueAsync("weigh_error", 1, queue => queue.Messages.Single().Key != before.Key)).Messages.Single();
        after.MessageId.ShouldBe(before.MessageId);
    }

    [Fact]
    [Trait("Needs", "Servers")]
    public async Task Should_lose_nothing_however_often_it_is_looked_at()
    {
        Guid[] audits = [Guid.NewGuid(), Guid.NewGuid()];
        foreach (var audit in audits)
            await PublishAsync(new Weigh { AuditId = audit, What = "feather" });
        await QueueAsync("weigh_error", 2);

        // A quorum queue with a delivery limit of 20 would have moved them by now.
        for (var look = 0; look < 45; look++)
            (await Messages.LookAsync(["weigh"], CancellationToken.None)).Single().Messages.Select(message => message.AuditId!.Value).ShouldBe(audits, ignoreOrder: true, $"at look {look}");
        (await LookAsync()).Single().Name.ShouldBe("weigh_error");
    }

    [Fact]
    [Trait("Needs", "Servers")]
    public async Task Should_find_at_once_what_was_just_looked_at()
    {
        var audits = Enumerable.Range(0, 20).Select(_ => Guid.NewGuid()).ToArray();
        foreach (var audit in audits)
            await PublishAsync(new Weigh { AuditId = audit, What = "feather" });
        await QueueAsync("weigh_error", audits.Length);

        // The queue has its messages back only when its log is written.
        scales.Work = true;
        for (var left = audits.Length; left > 0; left--)
        {
            var queue = (await LookAsync()).ShouldHaveSingleItem();
            queue.Count.ShouldBe(left);
            var key = queue.Messages[0].Key;
            (await Messages.SendAgainAsync("weigh_error", message => message.Key == key, CancellationToken.None)).ShouldBe(1, $"of {left}");
        }

        await WeighedAsync(audits);
    }

    [Fact]
    [Trait("Needs", "Servers")]
    public async Task Should_show_a_dead_letter_with_its_reason_and_send_it_to_the_queue_it_died_in()
    {
        // As a reader that dies on each delivery: taken and given back until the broker's limit.
        var audit = Guid.NewGuid();
        await host!.StopAsync();
        await using (var connection = await ConnectAsync())
        await using (var channel = await connection.CreateChannelAsync())
        {
            var body = System.Text.Encoding.UTF8.GetBytes($$"""{"messageId":"{{Guid.NewGuid()}}","messageType":["urn:message:Assay.ServiceDefaults.Tests:Weigh"],"message":{"auditId":"{{audit}}","what":"anvil"} }""");
            await channel.BasicPublishAsync("", "weigh", true, new BasicProperties { Persistent = true, ContentType = "application/vnd.masstransit+json", MessageId = Guid.NewGuid().ToString() }, body);
            for (var delivery = 0; delivery < 200; delivery++)
                if (await channel.BasicGetAsync("weigh", false) is { } taken)
                    await channel.BasicNackAsync(taken.DeliveryTag, false, true);
                else
                    await Task.Delay(20);
        }

        var dead = (await QueueAsync("assay-dead-letter", 1)).Messages.Single();
        dead.FaultType.ShouldBe("delivery_limit");
        dead.FaultText.ShouldContain("crash loop");
        dead.Destination.ShouldBe("weigh");
        dead.AuditId.ShouldBe(audit);

        (await Messages.SendAgainAsync("assay-dead-letter", message => message.Key == dead.Key, CancellationToken.None)).ShouldBe(1);
        (await LookAsync()).ShouldBeEmpty();
        await UntilAsync(async () => await broker!.CountMessagesAsync(virtualHost, "weigh") == 1, "the message is in its queue again");
    }

    [Fact]
    [Trait("Needs", "Servers")]
    public async Task Should_keep_a_message_whose_queue_is_gone_and_say_so()
    {
        await PublishAsync(new Weigh { AuditId = Guid.NewGuid(), What = "feather" });
        await QueueAsync("weigh_error", 1);
        await host!.StopAsync();
        await using (var connection = await ConnectAsync())
        await using (var channel = await connection.CreateChannelAsync())
            await channel.QueueDeleteAsync("weigh");

        var refused = await Should.ThrowAsync<BrokerUnavailableException>(() => Messages.SendAgainAsync("weigh_error", _ => true, CancellationToken.None));
        refused.Message.ShouldContain("weigh_error");
        (await QueueAsync("weigh_error", 1)).Count.ShouldBe(1);
    }

    [Fact]
    [Trait("Needs", "Servers")]
    public async Task Should_drop_a_request_that_expired_unread_and_never_send_it_again()
    {
        // Nobody reads; a request and a command outlive their time.
        await host!.StopAsync();
        await using (var connection = await ConnectAsync())
        await using (var channel = await connection.CreateChannelAsync())
            foreach (var more in new[] { "\"requestId\":\"" + Guid.NewGuid() + "\",", "" })
                await channel.BasicPublishAsync("", "weigh", true, new BasicProperties { Persistent = true, ContentType = "application/vnd.masstransit+json", MessageId = Guid.NewGuid().ToString(), Expiration = "50" },
                    System.Text.Encoding.UTF8.GetBytes($$"""{{{more}}"messageId":"{{Guid.NewGuid()}}","messageType":["urn:message:Assay.ServiceDefaults.Tests:Weigh"],"message":{"auditId":"{{Guid.NewGuid()}}","what":"anvil"} }"""));
        (await QueueAsync("assay-dead-letter", 2)).Messages.Count(message => message.IsExpiredRequest).ShouldBe(1);

        (await Messages.SendAgainAsync("assay-dead-letter", message => message.IsExpiredRequest, CancellationToken.None)).ShouldBe(0);
        (await Messages.DropExpiredRequestsAsync(CancellationToken.None)).ShouldBe(1);
        (await Messages.DropExpiredRequestsAsync(CancellationToken.None)).ShouldBe(0);

        var left = (await QueueAsync("assay-dead-letter", 1)).Messages.ShouldHaveSingleItem();
        (left.FaultType, left.IsExpiredRequest).ShouldBe(("expired", false));
    }

    async Task PublishAsync(Weigh message) => await host!.Services.GetRequiredService<IBus>().Publish(message);

    Task<IReadOnlyList<FaultedQueue>> LookAsync() => Messages.LookAsync(["weigh"], CancellationToken.None);

    async Task<FaultedQueue> QueueAsync(string name, long count, Func<FaultedQueue, bool>? and = null)
    {
        FaultedQueue? found = null;
        await UntilAsync(async () => (found = (await LookAsync()).SingleOrDefault(queue => queue.Name == name)) is { } queue && queue.Count == count && queue.Messages.Count == count && and?.Invoke(queue) != false, $"{name} holds {count}");
        return found!;
    }

    Task WeighedAsync(Guid[] audits) => UntilAsync(() => Task.FromResult(audits.All(scales.Weighed.Contains)), "they are weighed");

    static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var until = DateTime.UtcNow + Bound;
        while (!await condition())
        {
            if (DateTime.UtcNow > until)
                throw new TimeoutException($"It did not become true within {Bound}: {what}.");
            await Task.Delay(100);
        }
    }

    Task<IConnection> ConnectAsync() => new ConnectionFactory { HostName = broker!.Host, Port = broker.Port, VirtualHost = virtualHost, UserName = broker.Username, Password = broker.Password }.CreateConnectionAsync();

    sealed class Scales
    {
        public bool Work { get; set; }
        public System.Collections.Concurrent.ConcurrentBag<Guid> Weighed { get; } = [];
    }

    sealed class WeighConsumer(Scales scales) : IConsumer<Weigh>
    {
        public Task Consume(ConsumeContext<Weigh> context)
        {
            if (!scales.Work)
                throw new InvalidOperationException("The scales are broken.");
            scales.Weighed.Add(context.Message.AuditId);
            return Task.CompletedTask;
        }
    }

    sealed class Module : AssayModule
    {
        public override string Name => "Weighing";

        public override void AddServices(IHostApplicationBuilder builder, AssayDatabase database)
        {
        }

        public override void AddConsumers(IBusRegistrationConfigurator bus) => bus.AddConsumer<WeighConsumer>();
    }
}
