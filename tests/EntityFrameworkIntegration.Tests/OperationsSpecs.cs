using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Assay.EntityFrameworkIntegration.Tests.Orders;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Assay.EntityFrameworkIntegration.Tests;

/// <summary>What an operator sees of an outbox, and what the README tells to do.</summary>
public abstract class When_an_outbox_is_operated
{
    protected abstract Task<OrderSurroundings> SurroundingsAsync();

    [Fact]
    public async Task Should_be_degraded_while_a_message_waits_for_more_than_a_minute()
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync(), consumes: false);
        (await host.CheckHealthAsync()).ShouldBe(HealthStatus.Healthy);

        await StoreAsync(host, row =>
        {
            row.SentTime = DateTime.UtcNow.AddMinutes(-2);
            row.NextTryAt = DateTime.UtcNow.AddMinutes(5);
        });

        (await host.CheckHealthAsync()).ShouldBe(HealthStatus.Degraded);
    }

    [Fact]
    public async Task Should_tell_the_meter_what_waits_is_parked_and_was_sent()
    {
        var seen = new ConcurrentDictionary<string, double>(StringComparer.Ordinal);
        using var meters = new MeterListener { InstrumentPublished = (instrument, listener) => { if (instrument.Meter.Name is "Assay.Outbox") listener.EnableMeasurementEvents(instrument); } };
        meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        meters.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Record(instrument, value, tags));
        meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        meters.Start();
        var surroundings = await SurroundingsAsync();
        await using (var writer = await OrderHost.StartAsync(surroundings, consumes: false))
        {
            await StoreAsync(writer, row =>
            {
                row.SentTime = DateTime.UtcNow.AddSeconds(-30);
                row.NextTryAt = DateTime.UtcNow.AddMinutes(5);
            });
            await StoreAsync(writer, row => row.ParkedAt = DateTime.UtcNow);
            await writer.WithOutboxAsync(async outbox =>
            {
                await using var transaction = await outbox.DbContext.Database.BeginTransactionAsync();
                await outbox.Schedule(new Uri("exchange:place-order"), DateTime.UtcNow.AddHours(1), new PlaceOrder { OrderId = NewId.NextGuid() });
                await outbox.SaveChangesAsync();
                await transaction.CommitAsync();
            });
        }

        await using var host = await OrderHost.StartAsync(surroundings);
        var order = NewId.NextGuid();
        await host.Bus.Publish(new PlaceOrder { OrderId = order });
        Func<Task<int>> heard = () => host.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects");

        Func<Task<bool>> told = () =>
        {
            meters.RecordObservableInstruments();
            return Task.FromResult(Of("assay.outbox.pending") >= 1 && Of("assay.outbox.oldest") >= 30 && Of("assay.outbox.parked") >= 1 && Of("assay.outbox.scheduled") >= 1
                && Of("assay.outbox.sent") >= 1 && Of("assay.outbox.delivery.duration") > 0 && (!surroundings.IsPostgres || Of("assay.outbox.listening") is 1));
        };
        await told.ShouldBecomeAsync(true, $"measurements: {string.Join(", ", seen)}");

        double Of(string name) => seen.GetValueOrDefault(name);
        // Other tests' hosts measure beside this one: the greatest value counts.
        void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (tags.ToArray().Any(tag => tag is { Key: "context", Value: nameof(OrderDbContext) }))
                seen.AddOrUpdate(instrument.Name, value, (_, known) => Math.Max(known, value));
        }
    }

    private static Task StoreAsync(OrderHost host, Action<OutboxMessage> change) => host.InScopeAsync(database =>
    {
        var row = new OutboxMessage
        {
            MessageId = NewId.NextGuid(), SentTime = DateTime.UtcNow, NextTryAt = DateTime.UtcNow, ContentType = "application/json", MessageType = "urn:message:none", Body = "{}",
            DestinationAddress = new Uri("exchange:nowhere"),
        };
        change(row);
        database.Add(row);
        return database.SaveChangesAsync();
    });
}

public sealed class When_an_outbox_on_sqlite_is_operated : When_an_outbox_is_operated
{
    protected override Task<OrderSurroundings> SurroundingsAsync() => Task.FromResult(OrderSurroundings.Embedded());
}

[Trait("Needs", "Servers")]
public sealed class When_an_outbox_on_postgres_is_operated : When_an_outbox_is_operated
{
    protected override Task<OrderSurroundings> SurroundingsAsync() => OrderSurroundings.DistributedAsync();

    [Fact]
    public async Task Should_be_unhealthy_while_the_database_is_away()
    {
        await using var postgres = await TestServers.PrivatePostgres.StartAsync();
        var surroundings = (await SurroundingsAsync()) with { Database = await postgres.CreateDatabaseAsync("orders") };
        await using var host = await OrderHost.StartAsync(surroundings, consumes: false);
        (await host.CheckHealthAsync()).ShouldBe(HealthStatus.Healthy);

        await postgres.KillAsync();
        (await host.CheckHealthAsync()).ShouldBe(HealthStatus.Unhealthy);

        await postgres.StartServerAsync();
        Func<Task<HealthStatus>> health = host.CheckHealthAsync;
        await health.ShouldBecomeAsync(HealthStatus.Healthy, "health after the restart");
    }
}
