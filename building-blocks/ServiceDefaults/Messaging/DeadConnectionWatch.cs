using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Assay.ServiceDefaults;

/// <summary>
/// Ends the process, in order and with exit code 1, when its connection to the broker is dead and the transport does not notice. A broker
/// that is killed under load can leave RabbitMQ.Client 7.1 with channels that were never told of the end: endpoints that call themselves
/// ready and hear nothing, sends that wait for a confirm that cannot come – for ever, and without an error. Its supervisor starts the
/// process anew; everything it owes is in its outbox and in the queues. Starting the bus anew inside the process was tried and does not
/// heal it: see ADR 0011.
/// </summary>
public sealed partial class DeadConnectionWatch(
    IBusControl bus, ConnectionSigns signs, RabbitMqOptions options, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<DeadConnectionWatch> logger) : BackgroundService
{
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    /// <inheritdoc />
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        bus.ConnectReceiveEndpointObserver(signs);
        bus.ConnectSendObserver(signs);
        bus.ConnectPublishObserver(signs);
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
            if ((signs.HasStarted ? signs.ReasonToGiveUp(patience) : signs.ReasonNotToStart(patience)) is not { } reason)
                continue;
            GivingUp(logger, reason);
            Environment.ExitCode = 1;
            lifetime.StopApplication();
            return;
        }
    }

    [LoggerMessage(LogLevel.Critical, "The connection to the broker is dead although nothing said so: {Reason}. This process ends with exit code 1 and must be started anew; nothing is lost, what is unsent stays in the outbox")]
    static partial void GivingUp(ILogger logger, string reason);
}
