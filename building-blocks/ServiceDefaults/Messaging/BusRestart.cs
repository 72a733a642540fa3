using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Assay.ServiceDefaults;

/// <summary>
/// Stops and starts the bus when its connection is dead and the transport does not notice. A broker that is killed under load can leave
/// RabbitMQ.Client 7.1 with channels that were never told of the end: endpoints that call themselves ready and hear nothing, sends that
/// wait for a confirm that cannot come – until the process ends, and without an error. If the bus cannot be started again, the process
/// ends, for its supervisor to start it anew: everything it owes is in its outbox and in the queues.
/// </summary>
public sealed partial class BusRestart(
    IBusControl bus, ConnectionSigns signs, RabbitMqOptions options, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<BusRestart> logger) : BackgroundService
{
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);
    static readonly TimeSpan StopBound = TimeSpan.FromSeconds(60);
    static readonly TimeSpan StartBound = TimeSpan.FromSeconds(60);
    static readonly TimeSpan LongestPatience = TimeSpan.FromMinutes(30);

    /// <inheritdoc />
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        bus.ConnectReceiveEndpointObserver(signs);
        bus.ConnectSendObserver(signs);
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Until then, and from the stop on, it is the host that starts and stops the bus.
        await StartedAsync(stoppingToken);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        await WatchAsync(either.Token);
    }

    async Task StartedAsync(CancellationToken stoppingToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(() => started.TrySetResult());
        await started.Task.WaitAsync(stoppingToken);
    }

    async Task WatchAsync(CancellationToken stoppingToken)
    {
        var patience = options.ReconnectPatience;
        var restartedAt = time.GetUtcNow();
        using var timer = new PeriodicTimer(LookEvery, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (signs.ReasonToGiveUp(patience) is not { } reason)
            {
                if (time.GetUtcNow() - restartedAt > patience + patience)
                    patience = options.ReconnectPatience;
                continue;
            }

            GivingUp(logger, reason);
            try
            {
                await RestartAsync(stoppingToken);
                Restarted(logger);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                NotRestarted(logger, exception);
                Environment.ExitCode = 1;
                lifetime.StopApplication();
                return;
            }

            // What a new connection does not cure – a queue that may not be declared, a broker that takes nothing because its disk is full –
            // must not interrupt everything else every minute.
            restartedAt = time.GetUtcNow();
            patience = patience + patience < LongestPatience ? patience + patience : LongestPatience;
        }
    }

    async Task RestartAsync(CancellationToken stoppingToken)
    {
        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken))
        {
            stop.CancelAfter(StopBound);
            await bus.StopAsync(stop.Token);
            // It returns all the same, and a start would find the old, dead connection still there.
            if (stop.IsCancellationRequested)
                throw new TimeoutException($"The bus did not stop within {StopBound}.");
        }

        signs.Clear();
        using var start = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        start.CancelAfter(StartBound);
        await bus.StartAsync(start.Token);
    }

    [LoggerMessage(LogLevel.Error, "The connection to the broker is dead although nothing said so: {Reason}. The bus is stopped and started; nothing is lost, what is unsent stays in the outbox")]
    static partial void GivingUp(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Warning, "The bus has a new connection to the broker")]
    static partial void Restarted(ILogger logger);

    [LoggerMessage(LogLevel.Critical, "The bus could not be stopped and started again; this process ends with exit code 1 and must be started anew")]
    static partial void NotRestarted(ILogger logger, Exception exception);
}
