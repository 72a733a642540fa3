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

    /// <summary>By how much the scheduler is behind; zero while nothing is overdue.</summary>
    public TimeSpan ScheduleOverdue { get; init; }

    /// <summary>Counts what waits in the tables of <paramref name="context"/>, in one query.</summary>
    /// <param name="context">A context with the messaging entities.</param>
    /// <param name="cancellationToken">Stops the query.</param>
    public static async Task<OutboxStatistics> ReadAsync(DbContext context, CancellationToken cancellationToken) =>
        (await LookAsync(context, counts: true, TimeSpan.FromSeconds(30), cancellationToken)).Statistics;

    /// <summary>One query: when the next row is due (null when none waits), and if wanted the counts.</summary>
    internal static async Task<(OutboxStatistics Statistics, double? SecondsUntilDue)> LookAsync(DbContext context, bool counts, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var dialect = SqlDialect.Of(context);
        var outbox = context.TableName(typeof(OutboxMessage));
        var schedule = context.Model.FindEntityType(typeof(ScheduledMessageRow)) is null ? null : context.TableName(typeof(ScheduledMessageRow));
        var columns = new List<string>
        {
            $"(SELECT {dialect.SecondsUntil("min(\"NextTryAt\")")} FROM {outbox} WHERE \"ParkedAt\" IS NULL)",
            schedule is null ? "NULL" : $"(SELECT {dialect.SecondsUntil("min(due_at)")} FROM {schedule} WHERE parked_at IS NULL)",
        };
        if (counts)
        {
            columns.Add(Count(outbox, "\"ParkedAt\" IS NULL"));
            columns.Add($"(SELECT {dialect.SecondsUntil("min(\"SentTime\")")} FROM (SELECT \"SentTime\" FROM {outbox} WHERE \"ParkedAt\" IS NULL ORDER BY \"NextTryAt\" LIMIT {Limit}) AS pending)");
            columns.Add(Count(outbox, "\"ParkedAt\" IS NOT NULL"));
            columns.Add(Count(schedule, "parked_at IS NULL"));
            columns.Add(Count(schedule, "parked_at IS NOT NULL"));
        }

        await context.Database.OpenConnectionAsync(cancellationToken);
        await using var command = context.Database.CreateCommand($"SELECT {string.Join(", ", columns)}");
        command.CommandTimeout = (int)timeout.TotalSeconds;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        double? outboxDue = reader.IsDBNull(0) ? null : reader.GetDouble(0);
        double? scheduleDue = reader.IsDBNull(1) ? null : reader.GetDouble(1);
        var due = outboxDue is null ? scheduleDue : scheduleDue is null ? outboxDue : Math.Min(outboxDue.Value, scheduleDue.Value);
        if (!counts)
            return (new OutboxStatistics(0, TimeSpan.Zero, 0, 0), due);
        return (new OutboxStatistics(
            reader.GetInt64(2),
            TimeSpan.FromSeconds(reader.IsDBNull(3) ? 0 : Math.Max(0, -reader.GetDouble(3))),
            reader.GetInt64(4) + reader.GetInt64(6),
            reader.GetInt64(5))
        {
            ScheduleOverdue = TimeSpan.FromSeconds(Math.Max(0, -(scheduleDue ?? 0))),
        }, due);
    }

    private static string Count(string? table, string condition) => table is null ? "0" : $"(SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {condition} LIMIT {Limit}) AS counted)";
}
