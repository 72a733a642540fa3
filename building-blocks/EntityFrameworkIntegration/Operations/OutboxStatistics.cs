using Microsoft.EntityFrameworkCore;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>How much waits in the tables of one DbContext. Counting stops at <see cref="Limit"/>, so that asking stays cheap.</summary>
/// <param name="Pending">Outbox rows not yet confirmed by the broker.</param>
/// <param name="OldestPending">Age of the oldest of them; zero when there is none.</param>
/// <param name="Parked">Outbox rows and schedules that were given up.</param>
/// <param name="Scheduled">Schedules not yet due or not yet sent.</param>
public sealed record OutboxStatistics(long Pending, TimeSpan OldestPending, long Parked, long Scheduled)
{
    /// <summary>A count of this much means: this many or more.</summary>
    public const int Limit = 10_000;

    internal static async Task<OutboxStatistics> ReadAsync(DbContext context, CancellationToken cancellationToken)
    {
        var dialect = SqlDialect.Of(context);
        var outbox = context.TableName(typeof(OutboxMessage));
        var hasSchedule = context.Model.FindEntityType(typeof(ScheduledMessageRow)) is not null;
        var schedule = hasSchedule ? context.TableName(typeof(ScheduledMessageRow)) : "";
        string Count(string table, string condition) => $"(SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {condition} LIMIT {Limit}) AS counted)";

        await context.Database.OpenConnectionAsync(cancellationToken);
        await using var command = context.Database.CreateCommand($"""
            SELECT {Count(outbox, "\"ParkedAt\" IS NULL")},
                (SELECT {dialect.SecondsUntil("min(\"SentTime\")")} FROM (SELECT "SentTime" FROM {outbox} WHERE "ParkedAt" IS NULL ORDER BY "NextTryAt" LIMIT {Limit}) AS pending),
                {Count(outbox, "\"ParkedAt\" IS NOT NULL")},
                {(hasSchedule ? Count(schedule, "parked_at IS NULL") : "0")},
                {(hasSchedule ? Count(schedule, "parked_at IS NOT NULL") : "0")}
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new OutboxStatistics(
            reader.GetInt64(0),
            TimeSpan.FromSeconds(reader.IsDBNull(1) ? 0 : Math.Max(0, -reader.GetDouble(1))),
            reader.GetInt64(2) + reader.GetInt64(4),
            reader.GetInt64(3));
    }
}
