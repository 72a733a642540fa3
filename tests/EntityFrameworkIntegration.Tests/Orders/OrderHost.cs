using Assay.ServiceDefaults;
using Assay.TestServers;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Assay.EntityFrameworkIntegration.Tests.Orders;

/// <summary>Where an order service of the tests keeps its data and sends its messages.</summary>
public sealed record OrderSurroundings(string Database, bool IsPostgres, string? VirtualHost, int RabbitPort)
{
    /// <summary>As arguments of a child process.</summary>
    public IReadOnlyList<string> ToArguments() => [Database, $"{IsPostgres}", VirtualHost ?? "", $"{RabbitPort}"];

    public static OrderSurroundings FromArguments(IReadOnlyList<string> arguments) =>
        new(arguments[0], bool.Parse(arguments[1]), arguments[2].Length == 0 ? null : arguments[2], int.Parse(arguments[3], System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>A SQLite file and the in-memory bus.</summary>
    public static OrderSurroundings Embedded() =>
        new($"Data Source={TemporaryFiles.NewPath("orders.db")}", IsPostgres: false, VirtualHost: null, RabbitPort: 0);

    /// <summary>A fresh PostgreSQL database and a fresh virtual host on the shared private servers.</summary>
    public static async Task<OrderSurroundings> DistributedAsync()
    {
        var postgres = await PrivatePostgres.Shared;
        var rabbit = await PrivateRabbitMq.Shared;
        return new(await postgres.CreateDatabaseAsync("orders"), IsPostgres: true, await rabbit.CreateVirtualHostAsync("orders"), rabbit.Port);
    }
}

/// <summary>A running order service.</summary>
public sealed class OrderHost : IAsyncDisposable
{
    private readonly IHost _host;

    private readonly LogLines _log;

    private bool _isDisposed;

    private OrderHost(IHost host, LogLines log) => (_host, _log) = (host, log);

    public IServiceProvider Services => _host.Services;
    public IBus Bus => Services.GetRequiredService<IBus>();
    public ConsumerSwitch Control => Services.GetRequiredService<ConsumerSwitch>();

    public static async Task<OrderHost> StartAsync(
        OrderSurroundings surroundings, Action<IEntityFrameworkOutboxConfigurator>? outbox = null, ConsumerSwitch? control = null,
        Action<IServiceCollection>? services = null, ConcurrencyMode mode = ConcurrencyMode.Pessimistic, bool start = true,
        bool consumes = true, TimeSpan? redelivery = null, Action<IBusRegistrationConfigurator>? configure = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        var log = new LogLines(category => category is "MassTransit" or "Assay.ServiceDefaults.DeadConnectionWatch");
        // What the transport says of lost and new connections it says at Debug.
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("MassTransit", LogLevel.Debug).AddFilter("MassTransit.Messages", LogLevel.Warning).AddProvider(log);
        builder.Services.AddSingleton(control ?? new ConsumerSwitch());
        builder.Services.AddSingleton(new OrderPolicyOptions(redelivery ?? TimeSpan.FromMilliseconds(300)));
        builder.Services.AddDbContext<OrderDbContext>(options =>
        {
            if (surroundings.IsPostgres)
                options.UseAssayPostgres(surroundings.Database);
            else
                options.UseAssaySqlite(surroundings.Database);
        }, ServiceLifetime.Scoped, ServiceLifetime.Singleton);
        builder.Services.AddOptions<MassTransitHostOptions>().Configure(options => options.WaitUntilStarted = true);
        if (surroundings.VirtualHost is not null)
            builder.Services.AddDeadConnectionWatch(new RabbitMqOptions { ReconnectPatience = TimeSpan.FromSeconds(40) });
        builder.Services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.SetKebabCaseEndpointNameFormatter();
            bus.AddEntityFrameworkOutbox<OrderDbContext>(settings =>
            {
                // The time a killed writer's rows are left alone: shorter than in production, so that crash tests need not wait for it.
                settings.MessageDeliveryTimeout = TimeSpan.FromSeconds(3);
                outbox?.Invoke(settings);
            });
            configure?.Invoke(bus);
            if (consumes)
                AddConsumers(bus, mode);
            if (surroundings.VirtualHost is { } host)
            {
                bus.AddConfigureEndpointsCallback((_, _, endpoint) =>
                {
                    if (endpoint is IRabbitMqReceiveEndpointConfigurator queue)
                        queue.SetQuorumQueue();
                });
                bus.UsingRabbitMq((context, transport) =>
                {
                    transport.Host("127.0.0.1", (ushort)surroundings.RabbitPort, host, settings =>
                    {
                        settings.Heartbeat(TimeSpan.FromSeconds(10));
                        settings.ShowSignsOfLife(context);
                    });
                    transport.ConfigureEndpoints(context);
                });
            }
            else
            {
                bus.UsingInMemory((context, transport) => transport.ConfigureEndpoints(context));
            }
        });
        services?.Invoke(builder.Services);

        var orders = new OrderHost(builder.Build(), log);
        await orders.InScopeAsync(database => database.Database.EnsureCreatedAsync());
        if (start)
            await orders.StartAsync();
        return orders;
    }

    private static void AddConsumers(IBusRegistrationConfigurator bus, ConcurrencyMode mode)
    {
        bus.AddConsumer<PlaceOrderConsumer, OrderConsumerDefinition<PlaceOrderConsumer>>();
        bus.AddConsumer<OrderPlacedConsumer, OrderConsumerDefinition<OrderPlacedConsumer>>();
        bus.AddConsumer<PoisonConsumer, OrderConsumerDefinition<PoisonConsumer>>();
        bus.AddConsumer<PoisonFaultConsumer, OrderConsumerDefinition<PoisonFaultConsumer>>();
        bus.AddSagaStateMachine<OrderStateMachine, OrderState, OrderStateDefinition>()
            .EntityFrameworkRepository(repository =>
            {
                repository.ConcurrencyMode = mode;
                repository.ExistingDbContext<OrderDbContext>();
            });
    }

    /// <summary>Starts a host that was built only.</summary>
    public Task StartAsync()
    {
        // MassTransit logs by what the caller's flow was given last: after a host that ended, by a factory that is disposed.
        LogContext.ConfigureCurrentLogContext(Services.GetRequiredService<ILoggerFactory>());
        return _host.StartAsync();
    }

    public async Task<T> InScopeAsync<T>(Func<OrderDbContext, Task<T>> work)
    {
        await using var scope = Services.CreateAsyncScope();
        return await work(scope.ServiceProvider.GetRequiredService<OrderDbContext>());
    }

    /// <summary>Runs with the explicit outbox of a fresh scope.</summary>
    public async Task WithOutboxAsync(Func<IDbContextOutbox<OrderDbContext>, Task> work)
    {
        await using var scope = Services.CreateAsyncScope();
        await work(scope.ServiceProvider.GetRequiredService<IDbContextOutbox<OrderDbContext>>());
    }

    public Task<int> CountAsync(string effect, Guid orderId) =>
        InScopeAsync(database => database.Effects.CountAsync(row => row.Name == effect && row.OrderId == orderId));

    public Task<OrderState?> FindOrderAsync(Guid orderId) =>
        InScopeAsync(database => database.Orders.AsNoTracking().SingleOrDefaultAsync(order => order.CorrelationId == orderId));

    public async Task<HealthStatus> CheckHealthAsync() =>
        (await Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(check => check.Tags.Contains("outbox"))).Status;

    /// <summary>Whether the host asked to be started anew.</summary>
    public bool IsStopping => Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested;

    /// <summary>What the bus says of itself and of each endpoint, and the last lines of the log.</summary>
    public string Describe()
    {
        var health = Services.GetRequiredService<IBusControl>().CheckHealth();
        var endpoints = string.Join(", ", health.Endpoints.Select(endpoint => $"{endpoint.Key.Split('/')[^1]} {endpoint.Value.Status} ({endpoint.Value.Description})"));
        return $"The bus is {health.Status} ({health.Description}); {endpoints}. Its host logged:\n{string.Join('\n', _log.Lines)}";
    }

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        await _host.StopAsync();
        _host.Dispose();
    }

    /// <summary>Runs until the process is told to stop.</summary>
    public Task WaitForShutdownAsync() => _host.WaitForShutdownAsync();
}

public sealed class OrderConsumerDefinition<TConsumer> : ConsumerDefinition<TConsumer>
    where TConsumer : class, IConsumer
{
    protected override void ConfigureConsumer(IReceiveEndpointConfigurator endpointConfigurator, IConsumerConfigurator<TConsumer> consumerConfigurator, IRegistrationContext context) =>
        endpointConfigurator.UseOrderPolicy(context);
}

public sealed class OrderStateDefinition : SagaDefinition<OrderState>
{
    protected override void ConfigureSaga(IReceiveEndpointConfigurator endpointConfigurator, ISagaConfigurator<OrderState> sagaConfigurator, IRegistrationContext context) =>
        endpointConfigurator.UseOrderPolicy(context);
}

public sealed record OrderPolicyOptions(TimeSpan Redelivery);

internal static class OrderPolicy
{
    public static void UseOrderPolicy(this IReceiveEndpointConfigurator endpoint, IRegistrationContext context)
    {
        endpoint.UseEntityFrameworkMessageScheduler<OrderDbContext>(context);
        var pause = context.GetRequiredService<OrderPolicyOptions>().Redelivery;
        endpoint.UseScheduledRedelivery(redelivery => redelivery.Intervals(pause, pause));
        endpoint.UseMessageRetry(retry => retry.Immediate(2));
        endpoint.UseEntityFrameworkOutbox<OrderDbContext>(context);
    }
}
