using System.Collections.Concurrent;
using System.Diagnostics;
using Assay.EntityFrameworkIntegration.Tests.Orders;
using Assay.TestServers;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Assay.EntityFrameworkIntegration.Tests;

/// <summary>One process writes and cannot deliver; another one delivers, and is told.</summary>
[Trait("Needs", "Servers")]
public sealed class When_another_process_listens
{
    private static readonly TimeSpan Never = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan SoonEnough = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Should_deliver_at_once_what_only_the_other_process_may_deliver()
    {
        var surroundings = await OrderSurroundings.DistributedAsync();
        await using var writer = await StartWriterAsync(surroundings);
        await using var listener = await StartListenerAsync(surroundings);
        await ShouldBecomeListenersAsync(writer, 1);

        var order = await ScheduleAsync(writer);

        Func<Task<int>> heard = () => writer.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of what another process scheduled", SoonEnough);
    }

    [Fact]
    public async Task Should_listen_again_when_its_connection_was_ended()
    {
        var surroundings = await OrderSurroundings.DistributedAsync();
        await using var writer = await StartWriterAsync(surroundings);
        await using var listener = await StartListenerAsync(surroundings);
        await ShouldBecomeListenersAsync(writer, 1);
        var ended = (await ListenersAsync(writer)).ShouldHaveSingleItem();
        await writer.InScopeAsync(database => database.Database.ExecuteSqlAsync($"SELECT pg_terminate_backend({ended})"));
        Func<Task<bool>> isAnother = async () => await ListenersAsync(writer) is [var now] && now != ended;
        await isAnother.ShouldBecomeAsync(true, "another session listens");

        var order = await ScheduleAsync(writer);

        Func<Task<int>> heard = () => writer.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of what another process scheduled", SoonEnough);
    }

    [Fact]
    public async Task Should_look_often_while_it_does_not_listen()
    {
        var surroundings = await OrderSurroundings.DistributedAsync();
        await using var writer = await StartWriterAsync(surroundings);
        await using var deaf = await OrderHost.StartAsync(surroundings, outbox =>
        {
            outbox.DisableListening();
            outbox.QueryDelay = TimeSpan.FromMilliseconds(200);
            outbox.ListeningQueryDelay = Never;
        });

        var order = await ScheduleAsync(writer);

        Func<Task<int>> heard = () => writer.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of what another process scheduled", SoonEnough);
        (await ListenersAsync(writer)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Should_look_often_when_a_pooler_keeps_announcements_from_it()
    {
        var surroundings = await OrderSurroundings.DistributedAsync();
        await using var pooler = new DeafPooler((await PrivatePostgres.Shared).Port);
        surroundings = surroundings with { Database = pooler.Through(surroundings.Database) };
        await using var writer = await StartWriterAsync(surroundings);
        using var log = new LogLines();
        await using var deaf = await OrderHost.StartAsync(surroundings, outbox =>
        {
            outbox.QueryDelay = TimeSpan.FromMilliseconds(200);
            outbox.ListeningQueryDelay = Never;
        }, services: services => services.AddSingleton<ILoggerProvider>(log));
        Func<Task<bool>> noticed = () => Task.FromResult(log.Contain("does not pass announcements on"));
        await noticed.ShouldBecomeAsync(true, "the pooler is noticed and told of");
        pooler.Swallowed.ShouldBeGreaterThan(0);

        var order = await ScheduleAsync(writer);

        Func<Task<int>> heard = () => writer.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of what another process scheduled", SoonEnough);
        (await ListenersAsync(writer)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Should_find_by_looking_what_it_is_no_longer_told()
    {
        var surroundings = await OrderSurroundings.DistributedAsync();
        await using var pooler = new DeafPooler((await PrivatePostgres.Shared).Port) { PassesAnnouncements = true };
        surroundings = surroundings with { Database = pooler.Through(surroundings.Database) };
        await using var writer = await StartWriterAsync(surroundings);
        await using var listener = await OrderHost.StartAsync(surroundings, outbox =>
        {
            outbox.QueryDelay = Never;
            outbox.ListeningQueryDelay = TimeSpan.FromSeconds(1);
        });
        await ShouldBecomeListenersAsync(writer, 1);
        pooler.PassesAnnouncements = false;

        var order = await ScheduleAsync(writer);

        Func<Task<int>> heard = () => writer.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of what another process scheduled", SoonEnough);
        Func<Task<bool>> swallowed = () => Task.FromResult(pooler.Swallowed > 0);
        await swallowed.ShouldBecomeAsync(true, "the announcement was kept from it");
    }

    [Fact]
    public async Task Should_hear_of_a_release_by_hand()
    {
        var surroundings = await OrderSurroundings.DistributedAsync();
        await using var writer = await StartWriterAsync(surroundings);
        await using var listener = await StartListenerAsync(surroundings);
        await ShouldBecomeListenersAsync(writer, 1);
        var order = NewId.NextGuid();
        await writer.WithOutboxAsync(async outbox =>
        {
            await using var transaction = await outbox.DbContext.Database.BeginTransactionAsync();
            await outbox.Publish(new PlaceOrder { OrderId = order });
            await outbox.SaveChangesAsync();
            await outbox.DbContext.Set<OutboxMessage>().ExecuteUpdateAsync(set => set.SetProperty(row => row.ParkedAt, DateTime.UtcNow).SetProperty(row => row.Tries, 20));
            await transaction.CommitAsync();
        });

        foreach (var statement in ReadmeSql.Release)
            await writer.InScopeAsync(database => database.Database.ExecuteSqlRawAsync(statement));

        Func<Task<int>> heard = () => writer.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of the released message", SoonEnough);
    }

    [Fact]
    public async Task Should_leave_what_it_did_not_send_to_the_others_when_it_stops()
    {
        var surroundings = await OrderSurroundings.DistributedAsync();
        await using var listener = await StartListenerAsync(surroundings);
        await ShouldBecomeListenersAsync(listener, 1);
        var probe = new HeldBack();
        var writer = await StartWriterAsync(surroundings, services => services.AddSingleton<IDeliveryProbe>(probe));
        var orders = Enumerable.Range(0, 3).Select(_ => NewId.NextGuid()).ToList();
        foreach (var order in orders)
        {
            await writer.WithOutboxAsync(async outbox =>
            {
                await outbox.Publish(new PlaceOrder { OrderId = order });
                await outbox.SaveChangesAsync();
            });
        }

        await probe.Reached.Task.WaitAsync(SoonEnough);
        var stopped = writer.DisposeAsync().AsTask();
        probe.GoOn.TrySetResult();
        await stopped;

        Func<Task<int>> heard = () => listener.InScopeAsync(database => database.Effects.CountAsync(effect => effect.Name == "heard" && orders.Contains(effect.OrderId)));
        await heard.ShouldBecomeAsync(3, "effects of what the stopped process had not sent", SoonEnough);
    }

    [Fact]
    public async Task Should_share_one_connection_between_the_contexts_of_a_database()
    {
        var surroundings = await OrderSurroundings.DistributedAsync();
        await using var host = await OrderHost.StartAsync(surroundings,
            services: services => services.AddDbContext<ParcelDbContext>(options => options.UseAssayPostgres(surroundings.Database)),
            configure: bus => bus.AddEntityFrameworkOutbox<ParcelDbContext>(outbox => outbox.UseBusOutbox()), start: false);
        await host.InScopeAsync(async _ =>
        {
            await using var scope = host.Services.CreateAsyncScope();
            var parcels = scope.ServiceProvider.GetRequiredService<ParcelDbContext>();
            await parcels.Database.ExecuteSqlRawAsync(parcels.Database.GenerateCreateScript());
            return 0;
        });
        await host.StartAsync();
        await ShouldBecomeListenersAsync(host, 1);
        var order = NewId.NextGuid();

        await using (var scope = host.Services.CreateAsyncScope())
        {
            var outbox = scope.ServiceProvider.GetRequiredService<IDbContextOutbox<ParcelDbContext>>();
            await outbox.Publish(new PlaceOrder { OrderId = order });
            await outbox.SaveChangesAsync();
        }

        Func<Task<int>> heard = () => host.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of what the second context sent");
        await Task.Delay(TimeSpan.FromSeconds(1));
        (await ListenersAsync(host)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Should_ask_the_database_less_than_once_a_second_while_idle()
    {
        var surroundings = await OrderSurroundings.DistributedAsync();
        var name = new NpgsqlConnectionStringBuilder(surroundings.Database).Database!;
        var asked = new ConcurrentQueue<string>();
        using var watch = new ActivityListener
        {
            ShouldListenTo = source => string.Equals(source.Name, "Npgsql", StringComparison.Ordinal),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = command =>
            {
                if (command.TagObjects.Any(tag => tag.Value is string text && text.Contains(name, StringComparison.Ordinal)))
                    asked.Enqueue($"{command.GetTagItem("db.query.text") ?? command.GetTagItem("db.statement")}");
            },
        };
        ActivitySource.AddActivityListener(watch);
        await using var host = await OrderHost.StartAsync(surroundings);
        await ShouldBecomeListenersAsync(host, 1);
        await Task.Delay(TimeSpan.FromSeconds(2));
        asked.ShouldNotBeEmpty("the watch sees the commands");
        asked.Clear();

        await Task.Delay(TimeSpan.FromSeconds(12));

        asked.Count.ShouldBeInRange(1, 12, string.Join('\n', asked));
    }

    private static Task<OrderHost> StartWriterAsync(OrderSurroundings surroundings, Action<IServiceCollection>? services = null) => OrderHost.StartAsync(surroundings,
        outbox =>
        {
            outbox.UseBusOutbox(bus => bus.DisableDeliveryService());
            outbox.MessageDeliveryTimeout = Never;
        }, services: services, consumes: false);

    private static Task<OrderHost> StartListenerAsync(OrderSurroundings surroundings) => OrderHost.StartAsync(surroundings, outbox => outbox.ListeningQueryDelay = Never);

    /// <summary>Due at once, so that only the announcement decides when it is delivered.</summary>
    private static async Task<Guid> ScheduleAsync(OrderHost writer)
    {
        var order = NewId.NextGuid();
        await writer.WithOutboxAsync(async outbox =>
        {
            await using var transaction = await outbox.DbContext.Database.BeginTransactionAsync();
            await outbox.Schedule(new Uri("exchange:place-order"), DateTime.UtcNow, new PlaceOrder { OrderId = order });
            await outbox.SaveChangesAsync();
            await transaction.CommitAsync();
            outbox.NotifyCommitted();
        });
        return order;
    }

    private static async Task ShouldBecomeListenersAsync(OrderHost host, int expected)
    {
        Func<Task<int>> listeners = async () => (await ListenersAsync(host)).Count;
        await listeners.ShouldBecomeAsync(expected, "sessions that listen");
        // The listener looks once more when it has proven that it hears; only after that is it idle.
        await Task.Delay(TimeSpan.FromSeconds(1));
    }

    private static Task<List<int>> ListenersAsync(OrderHost host) => host.InScopeAsync(database => database.Database
        .SqlQueryRaw<int>("SELECT pid AS \"Value\" FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'").ToListAsync());

    public sealed class ParcelDbContext(DbContextOptions<ParcelDbContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.HasDefaultSchema("parcels");
            modelBuilder.AddMessagingEntities();
        }
    }

    private sealed class HeldBack : IDeliveryProbe
    {
        public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public TaskCompletionSource GoOn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task CommittedAsync()
        {
            Reached.TrySetResult();
            return GoOn.Task;
        }

        public Task SentAsync() => Task.CompletedTask;
    }
}

/// <summary>The statements that the README tells an operator to run.</summary>
internal static class ReadmeSql
{
    /// <summary>Those that release parked messages on PostgreSQL, for every row.</summary>
    public static IReadOnlyList<string> Release { get; } = [.. Lines().Where(line => line.StartsWith("UPDATE", StringComparison.Ordinal) || line.StartsWith("NOTIFY", StringComparison.Ordinal))
        .Select(line => line[..(line.IndexOf(';', StringComparison.Ordinal) + 1)].Replace("= …", "IS NOT NULL", StringComparison.Ordinal))];

    private static IEnumerable<string> Lines()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Assay.slnx")))
            folder = folder.Parent;
        return File.ReadLines(Path.Combine(folder!.FullName, "building-blocks", "EntityFrameworkIntegration", "README.md")).Select(line => line.Trim());
    }
}
