using Assay.EntityFrameworkIntegration.Tests.Orders;
using Assay.TestServers;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.Extensions.DependencyInjection;

namespace Assay.EntityFrameworkIntegration.Tests.Crashes;

/// <summary>Where the order service of a crash test stands still, to be killed there.</summary>
public enum CrashPoint
{
    /// <summary>Nowhere.</summary>
    None,

    /// <summary>In the consumer, before its transaction commits.</summary>
    Consuming,

    /// <summary>After the commit, before its messages are sent.</summary>
    Committed,

    /// <summary>After its messages are confirmed, before their rows are deleted.</summary>
    Sent,
}

/// <summary>An order service in a process of its own.</summary>
internal static class CrashHost
{
    private const string Reached = "REACHED";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Starts the process, lets it publish one order command, and kills it with SIGKILL where it stands still.</summary>
    public static async Task PublishAndKillAsync(OrderSurroundings surroundings, CrashPoint point, string command, Guid order, bool consumes = true, TimeSpan? redelivery = null)
    {
        await using var process = ServerProcess.Start("dotnet",
        [
            typeof(CrashHost).Assembly.Location, .. surroundings.ToArguments(), $"{point}", command, $"{order}", $"{consumes}", $"{redelivery ?? TimeSpan.FromMilliseconds(300)}",
        ], AppContext.BaseDirectory);
        await process.WaitForLineAsync($"{Reached} {point}", Limit);
        await process.KillAsync();
    }

    public static async Task<int> RunAsync(string[] args)
    {
        var surroundings = OrderSurroundings.FromArguments(args);
        var point = Enum.Parse<CrashPoint>(args[4]);
        var (command, order) = (args[5], Guid.Parse(args[6]));
        var control = new ConsumerSwitch();
        if (point == CrashPoint.Consuming)
            control.OnPlaceOrder = (_, _) => StandStillAsync(point);

        await using var host = await OrderHost.StartAsync(surroundings, control: control, consumes: bool.Parse(args[7]), redelivery: TimeSpan.Parse(args[8], System.Globalization.CultureInfo.InvariantCulture),
            services: services => services.AddSingleton<IDeliveryProbe>(new Probe(point)));
        switch (command)
        {
            case "place":
                await host.Bus.Publish(new PlaceOrder { OrderId = order }, context => context.MessageId = order);
                break;
            case "place-through-outbox":
                await host.WithOutboxAsync(async outbox =>
                {
                    await outbox.Publish(new PlaceOrder { OrderId = order });
                    await outbox.SaveChangesAsync();
                });
                break;
            case "sweep":
                // Committed and never announced: only the sweeper finds it.
                await host.WithOutboxAsync(async outbox =>
                {
                    await using var transaction = await outbox.DbContext.Database.BeginTransactionAsync();
                    await outbox.Publish(new PlaceOrder { OrderId = order });
                    await outbox.SaveChangesAsync();
                    await transaction.CommitAsync();
                });
                break;
            case "remind":
                await host.Bus.Publish(new StartOrder { OrderId = order, RemindAfter = TimeSpan.FromSeconds(2) });
                Func<Task<string?>> state = async () => (await host.FindOrderAsync(order))?.CurrentState;
                await state.ShouldBecomeAsync("Running", "state");
                await StandStillAsync(point);
                break;
            case "poison":
                var acknowledged = new Acknowledged();
                host.Bus.ConnectReceiveObserver(acknowledged);
                await host.Bus.Publish(new Poison { OrderId = order });
                Func<Task<int>> scheduled = () => host.InScopeAsync(database => Microsoft.EntityFrameworkCore.EntityFrameworkQueryableExtensions.CountAsync(database.Set<ScheduledMessageRow>()));
                await scheduled.ShouldBecomeAsync(1, "scheduled redeliveries");
                await acknowledged.Task.WaitAsync(Limit);
                // The acknowledgement went out before this on the same connection: once this is confirmed, the broker has it.
                await host.Bus.Publish(new Marker());
                await StandStillAsync(point);
                break;
            default:
                throw new ArgumentException($"Unknown command '{command}'.", nameof(args));
        }

        await host.WaitForShutdownAsync();
        return 0;
    }

    private static async Task StandStillAsync(CrashPoint point)
    {
        await Console.Out.WriteLineAsync($"{Reached} {point}");
        await Console.Out.FlushAsync();
        await Task.Delay(Timeout.InfiniteTimeSpan);
    }

    /// <summary>Nobody consumes it.</summary>
    public sealed record Marker;

    /// <summary>The first message that was consumed and acknowledged.</summary>
    private sealed class Acknowledged : IReceiveObserver
    {
        private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Task => _first.Task;

        public Task PostReceive(ReceiveContext context)
        {
            _first.TrySetResult();
            return Task.CompletedTask;
        }

        public Task PreReceive(ReceiveContext context) => Task.CompletedTask;

        public Task PostConsume<T>(ConsumeContext<T> context, TimeSpan duration, string consumerType)
            where T : class => Task.CompletedTask;

        public Task ConsumeFault<T>(ConsumeContext<T> context, TimeSpan duration, string consumerType, Exception exception)
            where T : class => Task.CompletedTask;

        public Task ReceiveFault(ReceiveContext context, Exception exception) => Task.CompletedTask;
    }

    private sealed class Probe(CrashPoint point) : IDeliveryProbe
    {
        public Task CommittedAsync() => point == CrashPoint.Committed ? StandStillAsync(point) : Task.CompletedTask;

        public Task SentAsync() => point == CrashPoint.Sent ? StandStillAsync(point) : Task.CompletedTask;
    }
}
