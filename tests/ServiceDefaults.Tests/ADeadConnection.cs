using System.Collections.Concurrent;
using Assay.TestServers;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using NSubstitute;
using BrokerRefusal = RabbitMQ.Client.Exceptions.PublishException;

namespace Assay.ServiceDefaults.Tests;

public sealed class TheSignsOfAConnection
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(70);
    static readonly Uri Weigh = new("rabbitmq://broker/weigh"), Count = new("rabbitmq://broker/count");
    readonly Clock clock = new();
    readonly ConnectionSigns signs;

    public TheSignsOfAConnection() => signs = new ConnectionSigns(clock);

    [Fact]
    public async Task Should_be_content_while_queues_are_read_however_long_nothing_is_sent()
    {
        signs.Connecting();
        await ReadyAsync(Weigh);
        clock.Pass(TimeSpan.FromDays(1));

        signs.ReasonToGiveUp(Patience).ShouldBeNull();
        signs.AllRead.ShouldBeTrue();
    }

    [Fact]
    public async Task Should_name_the_queue_that_did_not_follow_to_the_new_connection()
    {
        signs.Connecting();
        await ReadyAsync(Weigh);
        await ReadyAsync(Count);
        clock.Pass(TimeSpan.FromMinutes(5));
        await LostAsync(Weigh);
        signs.Connecting();
        clock.Pass(TimeSpan.FromSeconds(1));
        await ReadyAsync(Weigh);

        clock.Pass(TimeSpan.FromSeconds(68));
        signs.ReasonToGiveUp(Patience).ShouldBeNull();
        clock.Pass(TimeSpan.FromSeconds(1));
        signs.ReasonToGiveUp(Patience).ShouldNotBeNull().ShouldEndWith("not read: count");
        signs.AllRead.ShouldBeFalse();
    }

    [Fact]
    public async Task Should_name_the_queue_that_is_lost_while_no_connection_is_tried()
    {
        signs.Connecting();
        await ReadyAsync(Weigh);
        clock.Pass(TimeSpan.FromMinutes(5));
        await LostAsync(Weigh);
        clock.Pass(TimeSpan.FromSeconds(60));
        // Failing once more is not reading.
        await LostAsync(Weigh);
        clock.Pass(TimeSpan.FromSeconds(10));

        signs.ReasonToGiveUp(Patience).ShouldNotBeNull().ShouldEndWith("not read: weigh");
    }

    [Fact]
    public async Task Should_wait_for_a_broker_that_is_away_for_as_long_as_connections_are_tried()
    {
        signs.Connecting();
        await ReadyAsync(Weigh);
        await LostAsync(Weigh);
        for (var tries = 0; tries < 100; tries++)
        {
            clock.Pass(TimeSpan.FromSeconds(60));
            signs.ReasonToGiveUp(Patience).ShouldBeNull();
            signs.Connecting();
        }
    }

    [Fact]
    public async Task Should_miss_the_answers_to_what_is_sent()
    {
        signs.Connecting();
        await ReadyAsync(Weigh);
        clock.Pass(TimeSpan.FromMinutes(5));
        ISendObserver sends = signs;
        var message = Substitute.For<SendContext<Weigh>>();
        await sends.PreSend(message);
        clock.Pass(TimeSpan.FromSeconds(40));
        await sends.SendFault(message, new TimeoutException());
        await sends.PreSend(message);
        clock.Pass(TimeSpan.FromSeconds(169));
        signs.ReasonToGiveUp(Patience).ShouldBeNull();
        clock.Pass(TimeSpan.FromSeconds(1));

        signs.ReasonToGiveUp(Patience).ShouldNotBeNull().ShouldContain("confirmed nothing");

        // A message that comes back because it has no queue came over the connection.
        await sends.SendFault(message, new MessageReturnedException("no queue"));
        signs.ReasonToGiveUp(Patience).ShouldBeNull();
        await sends.PreSend(message);
        clock.Pass(TimeSpan.FromSeconds(209));
        await sends.PostSend(message);
        clock.Pass(TimeSpan.FromDays(1));
        signs.ReasonToGiveUp(Patience).ShouldBeNull();
    }

    [Fact]
    public async Task Should_name_where_everything_is_refused_for_long()
    {
        signs.Connecting();
        await ReadyAsync(Weigh);
        ISendObserver sends = signs;
        var (refused, other) = (Substitute.For<SendContext<Weigh>>(), Substitute.For<SendContext<Weigh>>());
        refused.DestinationAddress.Returns(new Uri("rabbitmq://broker/assay/scales"));
        other.DestinationAddress.Returns(new Uri("rabbitmq://broker/assay/others"));
        var nack = new BrokerRefusal(1, isReturn: false);

        // Once is an accident, and what is confirmed in between ends it.
        await sends.SendFault(refused, nack);
        clock.Pass(TimeSpan.FromHours(1));
        signs.ReasonToRenew(Patience).ShouldBeNull();
        await sends.PostSend(refused);
        await sends.SendFault(refused, nack);
        for (var seconds = 0; seconds < 69; seconds++)
        {
            clock.Pass(TimeSpan.FromSeconds(1));
            await sends.SendFault(refused, nack);
            await sends.PostSend(other);
            signs.ReasonToRenew(Patience).ShouldBeNull();
        }

        clock.Pass(TimeSpan.FromSeconds(1));
        await sends.SendFault(refused, nack);
        signs.ReasonToRenew(Patience).ShouldNotBeNull().ShouldContain("refused everything that was sent to scales");
        // A process that ends does no more than a new connection does.
        signs.ReasonToGiveUp(Patience).ShouldBeNull();
        signs.Connecting();
        signs.ReasonToRenew(Patience).ShouldBeNull();
    }

    [Fact]
    public async Task Should_hear_of_what_is_published_as_of_what_is_sent()
    {
        signs.Connecting();
        await ReadyAsync(Weigh);
        clock.Pass(TimeSpan.FromMinutes(5));
        IPublishObserver publishes = signs;
        var message = Substitute.For<PublishContext<Weigh>>();
        message.DestinationAddress.Returns(new Uri("rabbitmq://broker/assay/scales"));
        await publishes.PrePublish(message);
        clock.Pass(TimeSpan.FromSeconds(210));
        signs.ReasonToGiveUp(Patience).ShouldNotBeNull().ShouldContain("confirmed nothing");

        var nack = new BrokerRefusal(1, isReturn: false);
        await publishes.PublishFault(message, nack);
        signs.ReasonToGiveUp(Patience).ShouldBeNull("a refusal is an answer");
        clock.Pass(Patience);
        await publishes.PublishFault(message, nack);
        signs.ReasonToRenew(Patience).ShouldNotBeNull().ShouldContain("refused everything that was sent to scales");
        await publishes.PostPublish(message);
        signs.ReasonToRenew(Patience).ShouldBeNull();
    }

    [Fact]
    public async Task Should_not_count_the_endpoint_that_nobody_consumes_from()
    {
        // It came before its broker: it failed like the others, and then was ready without being started.
        await LostAsync(Count);
        clock.Pass(TimeSpan.FromSeconds(1));
        var ready = Substitute.For<ReceiveEndpointReady>();
        ready.InputAddress.Returns(Count);
        ready.IsStarted.Returns(false);
        await ((IReceiveEndpointObserver)signs).Ready(ready);
        clock.Pass(TimeSpan.FromSeconds(1));
        signs.Connecting();
        clock.Pass(TimeSpan.FromDays(1));

        signs.ReasonToGiveUp(Patience).ShouldBeNull();
    }

    [Fact]
    public async Task Should_wait_with_a_start_that_fails_again_and_again_but_not_with_one_that_is_silent()
    {
        signs.Connecting();
        for (var tries = 0; tries < 100; tries++)
        {
            clock.Pass(TimeSpan.FromSeconds(60));
            signs.ReasonNotToStart(Patience).ShouldBeNull();
            await LostAsync(Weigh);
        }

        clock.Pass(TimeSpan.FromSeconds(69));
        signs.ReasonNotToStart(Patience).ShouldBeNull();
        clock.Pass(TimeSpan.FromSeconds(1));
        signs.ReasonNotToStart(Patience).ShouldNotBeNull().ShouldContain("has not started, and for 70 s");
    }

    Task ReadyAsync(Uri queue)
    {
        var ready = Substitute.For<ReceiveEndpointReady>();
        ready.InputAddress.Returns(queue);
        ready.IsStarted.Returns(true);
        return ((IReceiveEndpointObserver)signs).Ready(ready);
    }

    Task LostAsync(Uri queue)
    {
        var faulted = Substitute.For<ReceiveEndpointFaulted>();
        faulted.InputAddress.Returns(queue);
        return ((IReceiveEndpointObserver)signs).Faulted(faulted);
    }

    sealed class Clock : TimeProvider
    {
        DateTimeOffset now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public void Pass(TimeSpan span) => now += span;

        public override DateTimeOffset GetUtcNow() => now;
    }
}

/// <summary>A host as production composes it, on a broker of its own.</summary>
[Trait("Needs", "Servers")]
public sealed class ABusOnADeadConnection : IAsyncLifetime
{
    static readonly TimeSpan Bound = TimeSpan.FromSeconds(120);
    readonly Heard heard = new();
    readonly LogLines said = new();
    PrivateRabbitMq? broker;
    IHost? host;

    public async Task InitializeAsync()
    {
        broker = await PrivateRabbitMq.StartAsync();
        host = await StartAsync();
    }

    public async Task DisposeAsync()
    {
        await host!.StopAsync();
        host.Dispose();
        await broker!.DisposeAsync();
    }

    [Fact]
    public async Task Should_end_its_process_and_hear_again_in_the_next_but_not_for_a_broker_that_was_killed()
    {
        await HearsAsync();
        await broker!.KillAsync();
        await broker.StartBrokerAsync();
        await HearsAsync();
        var stopping = host!.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        stopping.IsCancellationRequested.ShouldBeFalse("a broker that comes back is MassTransit's to find");

        // As after a kill that the channels did not hear of: a new connection was tried, and no queue followed to it.
        host.Services.GetRequiredService<ConnectionSigns>().Connecting();
        (await CheckAsync()).ShouldBe(HealthStatus.Unhealthy, "MassTransit would call it healthy");
        await Task.Delay(Timeout.Infinite, stopping).WaitAsync(Bound).ContinueWith(_ => { }, TaskScheduler.Default);
        stopping.IsCancellationRequested.ShouldBeTrue();
        Environment.ExitCode.ShouldBe(1, "for a supervisor that starts only what failed");
        Environment.ExitCode = 0;
        said.Lines.ShouldContain(line => line.Contains("is dead although nothing said so", StringComparison.Ordinal) && line.Contains("not read: hear-ping", StringComparison.Ordinal));

        await host.StopAsync();
        host.Dispose();
        host = await StartAsync();
        await HearsAsync();
        (await CheckAsync()).ShouldBe(HealthStatus.Healthy);
    }

    async Task<IHost> StartAsync()
    {
        // Longer than the pauses between MassTransit's tries to connect.
        var next = BrokerHost.Build(broker!, [new Module()], said, services => services.AddSingleton(heard), ("ReconnectPatience", "00:00:35"));
        await next.StartAsync();
        return next;
    }

    async Task<HealthStatus> CheckAsync() => (await host!.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries["broker"].Status;

    async Task HearsAsync()
    {
        var number = Guid.NewGuid();
        using var limit = new CancellationTokenSource(Bound);
        while (true)
        {
            try
            {
                using var one = CancellationTokenSource.CreateLinkedTokenSource(limit.Token);
                one.CancelAfter(TimeSpan.FromSeconds(5));
                await host!.Services.GetRequiredService<IBus>().Publish(new Ping { Number = number }, one.Token).WaitAsync(TimeSpan.FromSeconds(6), limit.Token);
                break;
            }
            catch (Exception) when (!limit.IsCancellationRequested)
            {
                // The broker is away; nobody keeps this message but we.
                await Task.Delay(200, limit.Token);
            }
        }

        while (!heard.Numbers.ContainsKey(number))
            await Task.Delay(50, limit.Token);
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
