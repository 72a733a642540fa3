using Assay.EntityFrameworkIntegration.Tests.Orders;
using Assay.TestServers;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Assay.EntityFrameworkIntegration.Tests;

public sealed class When_a_host_is_configured_wrongly
{
    [Fact]
    public async Task Should_refuse_a_retrying_execution_strategy()
    {
        using var host = Build(services => services.AddDbContext<OrderDbContext>(options => options.UseAssayPostgres("Host=127.0.0.1;Port=1", npgsql => npgsql.EnableRetryOnFailure())));

        var refusal = await Should.ThrowAsync<InvalidOperationException>(() => host.StartAsync());

        refusal.Message.ShouldContain("EnableRetryOnFailure");
    }

    [Fact]
    public async Task Should_refuse_a_model_without_the_tables()
    {
        using var host = Build(services => services.AddDbContext<Tableless>(options => options.UseAssaySqlite("Data Source=unused.db")), bus => bus.AddEntityFrameworkOutbox<Tableless>());

        var refusal = await Should.ThrowAsync<InvalidOperationException>(() => host.StartAsync());

        refusal.Message.ShouldContain("AddMessagingEntities");
    }

    [Fact]
    public async Task Should_refuse_an_optimistic_saga_without_a_concurrency_token()
    {
        using var host = Build(
            services => services.AddDbContext<Tableless>(options => options.UseAssaySqlite("Data Source=unused.db")),
            bus => bus.AddSagaStateMachine<OrderStateMachine, OrderState>().EntityFrameworkRepository(repository =>
            {
                repository.ConcurrencyMode = ConcurrencyMode.Optimistic;
                repository.ExistingDbContext<Tableless>();
            }));

        var refusal = await Should.ThrowAsync<InvalidOperationException>(() => host.StartAsync());

        refusal.Message.ShouldContain("concurrency token");
    }

    private static IHost Build(Action<IServiceCollection> services, Action<IBusRegistrationConfigurator>? configure = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        services(builder.Services);
        builder.Services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            if (configure is null)
                bus.AddEntityFrameworkOutbox<OrderDbContext>();
            else
                configure(bus);
            bus.UsingInMemory((context, transport) => transport.ConfigureEndpoints(context));
        });
        return builder.Build();
    }

    /// <summary>Has a saga without a token and none of the messaging tables.</summary>
    public sealed class Tableless(DbContextOptions<Tableless> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<OrderState>().HasKey(order => order.CorrelationId);
    }
}

public sealed class When_connection_strings_are_hardened
{
    [Fact]
    public void Should_set_timeouts_and_keepalive()
    {
        var settings = new NpgsqlConnectionStringBuilder(AssayDatabaseOptionsExtensions.Harden("Host=db;Options=-c lock_timeout=1s"));

        settings.Options.ShouldBe("-c lock_timeout=1s -c idle_in_transaction_session_timeout=5s");
        settings.TcpKeepAlive.ShouldBeTrue();
        settings.TcpKeepAliveTime.ShouldBe(10);
    }

    [Fact]
    public void Should_bound_the_pool_unless_told_otherwise()
    {
        new NpgsqlConnectionStringBuilder(AssayDatabaseOptionsExtensions.Harden("Host=db")).MaxPoolSize.ShouldBe(Math.Max(10, 4 * Environment.ProcessorCount));

        var told = new NpgsqlConnectionStringBuilder(AssayDatabaseOptionsExtensions.Harden("Host=db;MaxPoolSize=100;Auto Prepare Min Usages=5"));
        (told.MaxPoolSize, told.AutoPrepareMinUsages).ShouldBe((100, 5));
    }

    [Fact]
    public void Should_open_a_connection_once_unless_told_otherwise()
    {
        new NpgsqlConnectionStringBuilder(AssayDatabaseOptionsExtensions.Harden("Host=db")).GssEncryptionMode.ShouldBe(GssEncryptionMode.Disable);
        new NpgsqlConnectionStringBuilder(AssayDatabaseOptionsExtensions.Harden("Host=db;GSS Encryption Mode=Prefer")).GssEncryptionMode.ShouldBe(GssEncryptionMode.Prefer);
    }

    /// <summary>Where a redelivery is written down, what counts as an outage is waited for, and everything else moves the message to the error queue.</summary>
    [Fact]
    public void Should_wait_for_another_connection_where_one_was_given_up_while_it_was_handed_out()
    {
        SqlDialect.IsTransientAnywhere(new ObjectDisposedException("System.Threading.ManualResetEventSlim")).ShouldBeTrue();
        SqlDialect.IsTransientAnywhere(new ObjectDisposedException("Npgsql.NpgsqlConnection")).ShouldBeFalse();
    }

    [Fact]
    public void Should_plan_by_key_unless_told_otherwise()
    {
        var settings = new NpgsqlConnectionStringBuilder(AssayDatabaseOptionsExtensions.Harden(AssayDatabaseOptionsExtensions.PlanByKey("Host=db;Options=-c enable_hashjoin=on")));

        settings.Options.ShouldBe("-c enable_hashjoin=on -c enable_seqscan=off -c enable_bitmapscan=off -c enable_mergejoin=off -c jit=off -c plan_cache_mode=force_generic_plan -c lock_timeout=5s -c idle_in_transaction_session_timeout=5s");
    }
}

public sealed class When_several_contexts_share_one_bus
{
    [Fact]
    public async Task Should_deliver_from_each()
    {
        var (first, second) = (OrderSurroundings.Embedded(), OrderSurroundings.Embedded());
        await using var host = await OrderHost.StartAsync(first,
            services: services => services.AddDbContext<ShipmentDbContext>(options => options.UseAssaySqlite(second.Database)),
            configure: bus => bus.AddEntityFrameworkOutbox<ShipmentDbContext>());
        await using (var scope = host.Services.CreateAsyncScope())
            await scope.ServiceProvider.GetRequiredService<ShipmentDbContext>().Database.EnsureCreatedAsync();
        var (byOrders, byShipments) = (NewId.NextGuid(), NewId.NextGuid());

        await host.WithOutboxAsync(async outbox =>
        {
            await outbox.Publish(new PlaceOrder { OrderId = byOrders });
            await outbox.SaveChangesAsync();
        });
        await using (var scope = host.Services.CreateAsyncScope())
        {
            var outbox = scope.ServiceProvider.GetRequiredService<IDbContextOutbox<ShipmentDbContext>>();
            await outbox.Publish(new PlaceOrder { OrderId = byShipments });
            await outbox.SaveChangesAsync();
        }

        Func<Task<int>> heard = async () => await host.CountAsync("heard", byOrders) + await host.CountAsync("heard", byShipments);
        await heard.ShouldBecomeAsync(2, "effects of both");
    }

    public sealed class ShipmentDbContext(DbContextOptions<ShipmentDbContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.AddMessagingEntities();
    }
}

public sealed class When_many_write_to_one_sqlite_file
{
    [Fact]
    public async Task Should_let_them_queue_for_the_write_lock()
    {
        await using var host = await OrderHost.StartAsync(OrderSurroundings.Embedded());
        var order = NewId.NextGuid();

        await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Task.Run(() => host.InScopeAsync(async database =>
        {
            await using var transaction = await database.Database.BeginTransactionAsync();
            var seen = await database.Effects.CountAsync(effect => effect.OrderId == order);
            database.Effects.Add(new Effect { Name = $"number {seen}", OrderId = order });
            await database.SaveChangesAsync();
            await transaction.CommitAsync();
            return 0;
        }))));

        (await host.InScopeAsync(database => database.Effects.Where(effect => effect.OrderId == order).Select(effect => effect.Name).Distinct().CountAsync())).ShouldBe(40);
    }

    [Fact]
    public async Task Should_give_the_lock_back_when_a_transaction_is_neither_committed_nor_rolled_back()
    {
        await using var host = await OrderHost.StartAsync(OrderSurroundings.Embedded());
        await host.InScopeAsync(async database =>
        {
            await using (await database.Database.BeginTransactionAsync())
            {
                database.Effects.Add(new Effect { Name = "forgotten" });
                await database.SaveChangesAsync();
            }

            return 0;
        });

        await host.InScopeAsync(async database =>
        {
            await using var transaction = await database.Database.BeginTransactionAsync().WaitAsync(TimeSpan.FromSeconds(5));
            (await database.Effects.CountAsync()).ShouldBe(0);
            return 0;
        });
    }

    [Fact]
    public async Task Should_use_the_write_ahead_log_and_full_synchronisation()
    {
        var surroundings = OrderSurroundings.Embedded();
        await using var host = await OrderHost.StartAsync(surroundings);

        await host.InScopeAsync(async database =>
        {
            await database.Database.OpenConnectionAsync();
            (await PragmaAsync(database, "journal_mode")).ShouldBe("wal");
            (await PragmaAsync(database, "synchronous")).ShouldBe("2");
            (await PragmaAsync(database, "busy_timeout")).ShouldBe("5000");
            (await PragmaAsync(database, "foreign_keys")).ShouldBe("1");
            return 0;
        });
    }

    private static async Task<string> PragmaAsync(OrderDbContext database, string name)
    {
        await using var command = ((SqliteConnection)database.Database.GetDbConnection()).CreateCommand();
        command.CommandText = $"PRAGMA {name}";
        return $"{await command.ExecuteScalarAsync()}";
    }
}
