using MassTransit;
using MassTransit.RabbitMqTransport;
using MassTransit.RabbitMqTransport.Configuration;
using MassTransit.Transports;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;

namespace Assay.ServiceDefaults;

/// <summary>
/// Ends the process, in order and with exit code 1, when its connection to the broker is dead and the transport does not notice. A broker
/// that is killed under load can leave RabbitMQ.Client 7.1 with channels that were never told of the end: endpoints that call themselves
/// ready and hear nothing, sends that wait for a confirm that cannot come – for ever, and without an error. Its supervisor starts the
/// process anew; everything it owes is in its outbox and in the queues. Starting the bus anew inside the process was tried and does not
/// heal it: see ADR 0011. A connection that is well but whose channels are refused everything is closed, and MassTransit opens another.
/// </summary>
public sealed partial class DeadConnectionWatch(
    IBusInstance bus, ConnectionSigns signs, RabbitMqOptions options, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<DeadConnectionWatch> logger) : BackgroundService
{
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    /// <summary>How long a connection may take to be closed; what then does not follow to a new one is given up like any other.</summary>
    static readonly TimeSpan CloseWithin = TimeSpan.FromSeconds(10);

    DateTimeOffset renewedAt = DateTimeOffset.MinValue;

    /// <inheritdoc />
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        bus.BusControl.ConnectReceiveEndpointObserver(signs);
        bus.BusControl.ConnectSendObserver(signs);
        bus.BusControl.ConnectPublishObserver(signs);
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The bus starts after this: what was waited for until now does not count.
        signs.Connecting();
        using var timer = new PeriodicTimer(LookEvery, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var patience = options.ReconnectPatience;
            // Not soon again: a queue without a majority refuses too, and each new connection delivers anew what is being consumed.
            if (signs.ReasonToRenew(patience / 4) is { } refusal && time.GetUtcNow() - renewedAt >= patience)
            {
                renewedAt = time.GetUtcNow();
                Renewing(logger, refusal);
                await CloseAsync(stoppingToken);
            }

            if ((signs.HasStarted ? signs.ReasonToGiveUp(patience) : signs.ReasonNotToStart(patience)) is not { } reason)
                continue;
            GivingUp(logger, reason);
            Environment.ExitCode = 1;
            lifetime.StopApplication();
            return;
        }
    }

    async Task CloseAsync(CancellationToken stoppingToken)
    {
        if (bus.HostConfiguration is not IRabbitMqHostConfiguration host)
            return;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        limit.CancelAfter(CloseWithin);
        try
        {
            var close = Pipe.ExecuteAsync<ConnectionContext>(context => context.Connection.CloseAsync(Constants.ReplySuccess, "Refused for long", CloseWithin, abort: true, limit.Token));
            await host.ConnectionContextSupervisor.Send(close, limit.Token).WaitAsync(limit.Token);
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            NotClosed(logger, exception);
        }
    }

    [LoggerMessage(LogLevel.Warning, "On this connection {Reason}: it is closed, and a new one opened. Nothing is lost, what is unsent stays in the outbox. If it goes on, look whether those queues have a majority of their nodes")]
    static partial void Renewing(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Warning, "The connection to the broker could not be closed; if no new one is made, this process will end for it")]
    static partial void NotClosed(ILogger logger, Exception exception);

    [LoggerMessage(LogLevel.Critical, "The connection to the broker is dead although nothing said so: {Reason}. This process ends with exit code 1 and must be started anew; nothing is lost, what is unsent stays in the outbox")]
    static partial void GivingUp(ILogger logger, string reason);
}
