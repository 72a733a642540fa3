using Assay.EntityFrameworkIntegration.Tests.Orders;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Assay.EntityFrameworkIntegration.Tests;

/// <summary>A saga of two tables in a DbContext of the repository's own, found by a query, without an outbox: what users of the official package configure.</summary>
public abstract class When_a_saga_repository_is_configured
{
    protected abstract Task<OrderSurroundings> SurroundingsAsync();

    [Theory]
    [InlineData(ConcurrencyMode.Pessimistic)]
    [InlineData(ConcurrencyMode.Optimistic)]
    public async Task Should_load_what_the_custom_query_includes(ConcurrencyMode mode)
    {
        await using var basket = await BasketHost.StartAsync(await SurroundingsAsync(), mode);
        var id = NewId.NextGuid();

        await basket.PublishAsync(new AddToBasket { BasketId = id, Customer = "anker", Item = "first" });
        Func<Task<int>> items = () => basket.CountItemsAsync(id);
        await items.ShouldBecomeAsync(1, "items");
        await basket.PublishAsync(new AddToBasket { BasketId = id, Customer = "anker", Item = "second" });

        await items.ShouldBecomeAsync(2, "items: the first was loaded, so that the second came to it");
        (await basket.FindAsync(id)).Seen.ShouldBe(1, "items that the second message found");
    }

    [Fact]
    public async Task Should_find_the_sagas_of_a_query()
    {
        await using var basket = await BasketHost.StartAsync(await SurroundingsAsync(), ConcurrencyMode.Pessimistic);
        var (one, two, other) = (NewId.NextGuid(), NewId.NextGuid(), NewId.NextGuid());
        foreach (var (id, customer) in new[] { (one, "anker"), (two, "anker"), (other, "bolt") })
        {
            await basket.PublishAsync(new AddToBasket { BasketId = id, Customer = customer, Item = "first" });
            Func<Task<int>> items = () => basket.CountItemsAsync(id);
            await items.ShouldBecomeAsync(1, "items");
        }

        await basket.PublishAsync(new EmptyBaskets { Customer = "anker" });

        Func<Task<string>> states = async () => string.Join(' ', (await basket.FindAsync(one)).CurrentState, (await basket.FindAsync(two)).CurrentState, (await basket.FindAsync(other)).CurrentState);
        await states.ShouldBecomeAsync("Emptied Emptied Filling", "states");
        await using var scope = basket.Services.CreateAsyncScope();
        var query = new MassTransit.Saga.SagaQuery<BasketState>(saga => saga.Customer == "anker");
        (await scope.ServiceProvider.GetRequiredService<IQuerySagaRepository<BasketState>>().Find(query)).ShouldBe([one, two], ignoreOrder: true);
        (await scope.ServiceProvider.GetRequiredService<ILoadSagaRepository<BasketState>>().Load(other)).Items.Count.ShouldBe(1, "loading outside a message includes too");
    }

    [Fact]
    public async Task Should_delete_a_saga_that_is_over()
    {
        await using var basket = await BasketHost.StartAsync(await SurroundingsAsync(), ConcurrencyMode.Pessimistic);
        var id = NewId.NextGuid();
        await basket.PublishAsync(new AddToBasket { BasketId = id, Customer = "anker", Item = "first" });
        Func<Task<int>> items = () => basket.CountItemsAsync(id);
        await items.ShouldBecomeAsync(1, "items");

        await basket.PublishAsync(new DropBasket { BasketId = id });

        Func<Task<int>> baskets = () => basket.CountAsync();
        await baskets.ShouldBecomeAsync(0, "baskets");
        (await items()).ShouldBe(0);
    }
}

public sealed class When_a_saga_repository_is_configured_on_sqlite_and_in_memory : When_a_saga_repository_is_configured
{
    protected override Task<OrderSurroundings> SurroundingsAsync() => Task.FromResult(OrderSurroundings.Embedded());
}

[Trait("Needs", "Servers")]
public sealed class When_a_saga_repository_is_configured_on_postgres_and_rabbitmq : When_a_saga_repository_is_configured
{
    protected override Task<OrderSurroundings> SurroundingsAsync() => OrderSurroundings.DistributedAsync();
}

public sealed record AddToBasket
{
    public required Guid BasketId { get; init; }
    public required string Customer { get; init; }
    public required string Item { get; init; }
}

public sealed record EmptyBaskets
{
    public required string Customer { get; init; }
}

public sealed record DropBasket
{
    public required Guid BasketId { get; init; }
}

public sealed class BasketState : SagaStateMachineInstance, ISagaVersion
{
    public Guid CorrelationId { get; set; }
    public string CurrentState { get; set; } = "";
    public int Version { get; set; }
    public string Customer { get; set; } = "";
    public int Seen { get; set; }
    public List<BasketItem> Items { get; } = [];
}

public sealed class BasketItem
{
    public long Id { get; set; }
    public string Name { get; set; } = "";
}

public sealed class BasketDbContext(DbContextOptions<BasketDbContext> options) : SagaDbContext(options)
{
    protected override IEnumerable<ISagaClassMap> Configurations => [new BasketMap()];

    private sealed class BasketMap : SagaClassMap<BasketState>
    {
        protected override void Configure(EntityTypeBuilder<BasketState> entity, ModelBuilder model)
        {
            entity.ToTable("basket");
            entity.HasMany(basket => basket.Items).WithOne().OnDelete(DeleteBehavior.Cascade);
        }
    }
}

public sealed class BasketStateMachine : MassTransitStateMachine<BasketState>
{
    public BasketStateMachine()
    {
        InstanceState(basket => basket.CurrentState);
        Event(() => Added, e => e.CorrelateById(context => context.Message.BasketId));
        Event(() => Dropped, e => e.CorrelateById(context => context.Message.BasketId));
        Event(() => AllEmptied, e =>
        {
            e.CorrelateBy((basket, context) => basket.Customer == context.Message.Customer);
            e.OnMissingInstance(missing => missing.Discard());
        });
        Initially(When(Added).Then(context => Add(context)).TransitionTo(Filling));
        During(Filling,
            When(Added).Then(context => Add(context)),
            When(Dropped).Finalize(),
            When(AllEmptied).TransitionTo(Emptied));
        SetCompletedWhenFinalized();
    }

    public State Filling { get; private set; } = null!;
    public State Emptied { get; private set; } = null!;
    public Event<AddToBasket> Added { get; private set; } = null!;
    public Event<DropBasket> Dropped { get; private set; } = null!;
    public Event<EmptyBaskets> AllEmptied { get; private set; } = null!;

    private static void Add(BehaviorContext<BasketState, AddToBasket> context)
    {
        context.Saga.Customer = context.Message.Customer;
        context.Saga.Seen = context.Saga.Items.Count;
        context.Saga.Items.Add(new BasketItem { Name = context.Message.Item });
    }
}

internal sealed class BasketHost(IHost host) : IAsyncDisposable
{
    public IServiceProvider Services => host.Services;

    public static async Task<BasketHost> StartAsync(OrderSurroundings surroundings, ConcurrencyMode mode)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddOptions<MassTransitHostOptions>().Configure(options => options.WaitUntilStarted = true);
        builder.Services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.SetKebabCaseEndpointNameFormatter();
            bus.AddSagaStateMachine<BasketStateMachine, BasketState>().EntityFrameworkRepository(repository =>
            {
                repository.ConcurrencyMode = mode;
                repository.CustomizeQuery(baskets => baskets.Include(basket => basket.Items));
                repository.AddDbContext<DbContext, BasketDbContext>((_, options) =>
                {
                    if (surroundings.IsPostgres)
                        options.UseAssayPostgres(surroundings.Database);
                    else
                        options.UseAssaySqlite(surroundings.Database);
                });
            });
            if (surroundings.VirtualHost is { } virtualHost)
            {
                bus.UsingRabbitMq((context, transport) =>
                {
                    transport.Host("127.0.0.1", (ushort)surroundings.RabbitPort, virtualHost, _ => { });
                    transport.ConfigureEndpoints(context);
                });
            }
            else
            {
                bus.UsingInMemory((context, transport) => transport.ConfigureEndpoints(context));
            }
        });
        var host = builder.Build();
        await using (var scope = host.Services.CreateAsyncScope())
            await scope.ServiceProvider.GetRequiredService<DbContext>().Database.EnsureCreatedAsync();
        await host.StartAsync();
        return new BasketHost(host);
    }

    public Task PublishAsync<T>(T message)
        where T : class => Services.GetRequiredService<IBus>().Publish(message);

    public Task<BasketState> FindAsync(Guid id) => InScopeAsync(database => database.Set<BasketState>().AsNoTracking().SingleAsync(basket => basket.CorrelationId == id));

    public Task<int> CountAsync() => InScopeAsync(database => database.Set<BasketState>().CountAsync());

    public Task<int> CountItemsAsync(Guid id) => InScopeAsync(database => database.Set<BasketState>().Where(basket => basket.CorrelationId == id).SelectMany(basket => basket.Items).CountAsync());

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        host.Dispose();
    }

    private async Task<T> InScopeAsync<T>(Func<DbContext, Task<T>> work)
    {
        await using var scope = Services.CreateAsyncScope();
        return await work(scope.ServiceProvider.GetRequiredService<DbContext>());
    }
}
