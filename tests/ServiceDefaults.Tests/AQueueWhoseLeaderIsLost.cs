using System.Collections.Concurrent;
using System.Diagnostics;
using Assay.TestServers;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using BrokerRefusal = RabbitMQ.Client.Exceptions.PublishException;

namespace Assay.ServiceDefaults.Tests;

/// <summary>
/// Three broker nodes. Before RabbitMQ 3.11.23 and 3.12.5 a channel that first sends to a quorum queue when the leader's node is down, and no
/// other leads it yet, goes on asking that node: it refuses everything for this queue until the node is back, whoever leads it meanwhile.
/// </summary>
[Trait("Needs", "Servers")]
public sealed class AQueueWhoseLeaderIsLost
{
    static readonly TimeSpan Bound = TimeSpan.FromSeconds(45);

    [Fact]
    public async Task Should_be_sent_to_over_a_new_connection_while_the_node_stays_away()
    {
        await using var broker = await PrivateRabbitMq.StartAsync(nodes: 3);
        var heard = new Heard();
        var said = new LogLines();
        // The node over which a queue is declared leads it.
        using (var declares = Build(broker, 1, heard, new LogLines()))
        {
            await declares.StartAsync();
            await declares.StopAsync();
        }

        using var host = Build(broker, 2, heard, said);
        await host.StartAsync();
        var bus = host.Services.GetRequiredService<IBus>();
        var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;

        // One node cannot choose a leader alone.
        broker.Pause();
        await broker.KillNodeAsync(1);
        (await RefusesAsync(bus)).ShouldBeTrue("who leads the queue is away, and nobody else does");
        broker.Resume();

        // The queue has a leader again in a moment, but not where the channel looks for it.
        var waited = Stopwatch.StartNew();
        while (await RefusesAsync(bus))
        {
            stopping.IsCancellationRequested.ShouldBeFalse("the process need not end for it");
            waited.Elapsed.ShouldBeLessThan(Bound, $"a new connection was made, and its channels find the leader: {string.Join(Environment.NewLine, said.Lines.TakeLast(5))}");
            await Task.Delay(200, CancellationToken.None);
        }

        while (heard.Numbers.IsEmpty)
        {
            waited.Elapsed.ShouldBeLessThan(Bound, "the queue is read over the new connection too");
            await Task.Delay(50, CancellationToken.None);
        }

        said.Lines.ShouldContain(line => line.Contains("has refused everything that was sent to", StringComparison.Ordinal) && line.Contains("Ping", StringComparison.Ordinal));
        stopping.IsCancellationRequested.ShouldBeFalse();
        await host.StopAsync();
    }

    static IHost Build(PrivateRabbitMq broker, int node, Heard heard, LogLines said) =>
        // Refusals are borne for a quarter of it.
        BrokerHost.Build(broker, [new Module()], said, services => services.AddSingleton(heard), ("Port", $"{broker.Ports[node]}"), ("ReconnectPatience", "00:00:35"));

    /// <summary>Sends once. What is neither confirmed nor refused, while the connection is made anew, is no refusal and no end of it: it is sent again.</summary>
    static async Task<bool> RefusesAsync(IBus bus)
    {
        using var limit = new CancellationTokenSource(Bound);
        while (true)
        {
            try
            {
                using var one = CancellationTokenSource.CreateLinkedTokenSource(limit.Token);
                one.CancelAfter(TimeSpan.FromSeconds(5));
                await bus.Publish(new Ping { Number = Guid.NewGuid() }, one.Token).WaitAsync(limit.Token);
                return false;
            }
            catch (BrokerRefusal refusal) when (!refusal.IsReturn)
            {
                return true;
            }
            catch (Exception) when (!limit.IsCancellationRequested)
            {
                await Task.Delay(200, limit.Token);
            }
        }
    }

    public sealed record Ping
    {
        public required Guid Number { get; init; }
    }

    sealed class Heard
    {
        public ConcurrentDictionary<Guid, bool> Numbers { get; } = new();
    }

    sealed class HearPing(Heard heard) : IConsumer<Ping>
    {
        public Task Consume(ConsumeContext<Ping> context)
        {
            heard.Numbers[context.Message.Number] = true;
            return Task.CompletedTask;
        }
    }

    sealed class Module : AssayModule
    {
        public override string Name => "Pings";

        public override void AddServices(IHostApplicationBuilder builder, AssayDatabase database)
        {
        }

        public override void AddConsumers(IBusRegistrationConfigurator bus) => bus.AddConsumer<HearPing>();
    }
}
