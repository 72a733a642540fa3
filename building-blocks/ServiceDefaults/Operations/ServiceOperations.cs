using Assay.Contracts.Internal.Operations;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Assay.ServiceDefaults;

/// <summary>Lets an operator look at a service's outbox and scheduler, and release what was parked, over the bus.</summary>
public static class ServiceOperations
{
    /// <summary>Answers <see cref="GetServiceHealth"/> and <see cref="ReleaseParked"/> for the database of <typeparamref name="TDbContext"/>.</summary>
    /// <param name="bus">The host's bus.</param>
    /// <param name="service">The module's name.</param>
    public static void AddServiceOperations<TDbContext>(this IBusRegistrationConfigurator bus, string service)
        where TDbContext : DbContext
    {
        bus.AddSingleton(new ServiceIdentity<TDbContext>(service));
        bus.AddConsumer<ServiceOperationsConsumer<TDbContext>>().Endpoint(endpoint => endpoint.Name = KebabCaseEndpointNameFormatter.Instance.SanitizeName(service) + "-operations");
    }
}

/// <summary>Whose database a context is.</summary>
sealed record ServiceIdentity<TDbContext>(string Name)
    where TDbContext : DbContext;

/// <summary>Without redelivery: whoever asks waits, and asks again. A release that runs twice releases once.</summary>
sealed class ServiceOperationsConsumer<TDbContext>(TDbContext db, IOutboxParking<TDbContext> parking, ServiceIdentity<TDbContext> identity, IBusControl bus) :
    IConsumer<GetServiceHealth>, IConsumer<ReleaseParked>
    where TDbContext : DbContext
{
    const int MostParked = 50;
    const int MostFailing = 5;

    public async Task Consume(ConsumeContext<GetServiceHealth> context)
    {
        if (context.Message.Service != identity.Name)
            return;
        var found = await OutboxStatistics.ReadAsync(db, context.CancellationToken);
        var parked = found.Parked == 0 ? [] : await parking.ListAsync(MostParked, context.CancellationToken);
        var failing = found.Pending == 0 ? [] : await FailingAsync(context.CancellationToken);
        await context.RespondAsync(new ServiceHealth
        {
            Service = identity.Name, Worker = $"{Environment.MachineName}/{Environment.ProcessId}", OutboxPending = found.Pending, OldestPendingSeconds = found.OldestPending.TotalSeconds,
            Parked = found.Parked, Scheduled = found.Scheduled, ScheduleOverdueSeconds = found.ScheduleOverdue.TotalSeconds,
            ParkedMessages = [.. parked.Take(MostParked).Select(row => new ParkedMessageInfo
            {
                MessageId = row.MessageId, MessageType = row.MessageType, Destination = row.Destination, Tries = row.Tries, LastError = row.LastError, ParkedAt = row.ParkedAt,
            })],
            FailingMessages = failing,
            Queues = [.. bus.CheckHealth().Endpoints.Values.Select(endpoint => endpoint.InputAddress).Where(address => address is not null && !address.Query.Contains("temporary", StringComparison.Ordinal))
                .Select(address => Uri.UnescapeDataString(address.AbsolutePath[(address.AbsolutePath.LastIndexOf('/') + 1)..])).Order(StringComparer.Ordinal)],
        });
    }

    /// <summary>What failed waits for its next try: it is found from the far end of the queue, of which no more is read than is counted.</summary>
    Task<List<FailingMessageInfo>> FailingAsync(CancellationToken cancellationToken) => db.Set<OutboxMessage>().AsNoTracking()
        .Where(message => message.ParkedAt == null).OrderByDescending(message => message.NextTryAt).Take(OutboxStatistics.Limit)
        .Where(message => message.LastError != null).OrderBy(message => message.SentTime).Take(MostFailing)
        .Select(message => new FailingMessageInfo { MessageId = message.MessageId, MessageType = message.MessageType, Tries = message.Tries, LastError = message.LastError!, StoredAt = message.SentTime })
        .ToListAsync(cancellationToken);

    public async Task Consume(ConsumeContext<ReleaseParked> context)
    {
        if (context.Message.Service != identity.Name)
            return;
        await context.RespondAsync(new ParkedReleased { Service = identity.Name, Released = await parking.ReleaseAsync(context.Message.MessageId, context.CancellationToken) });
    }
}
