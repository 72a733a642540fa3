using Microsoft.EntityFrameworkCore;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>What an operator may do about messages that were given up. Scoped.</summary>
/// <typeparam name="TDbContext">A DbContext registered with <c>AddEntityFrameworkOutbox</c>.</typeparam>
public interface IOutboxParking<out TDbContext>
    where TDbContext : DbContext
{
    /// <summary>Parked messages, oldest first.</summary>
    /// <param name="limit">At most so many of each table.</param>
    /// <param name="cancellationToken">Stops the query.</param>
    Task<IReadOnlyList<ParkedMessage>> ListAsync(int limit = 100, CancellationToken cancellationToken = default);

    /// <summary>Gives parked messages all their tries again, at once.</summary>
    /// <param name="messageId">One message; null for all of them.</param>
    /// <param name="cancellationToken">Stops the update.</param>
    /// <returns>How many were released.</returns>
    Task<int> ReleaseAsync(Guid? messageId = null, CancellationToken cancellationToken = default);
}

/// <summary>A message that was given up.</summary>
/// <param name="MessageId">Its id.</param>
/// <param name="MessageType">Its type URNs, separated by semicolons.</param>
/// <param name="Destination">Where it was to go.</param>
/// <param name="Tries">How often it was tried.</param>
/// <param name="LastError">What the last try failed with.</param>
/// <param name="ParkedAt">When it was given up (UTC).</param>
public sealed record ParkedMessage(Guid MessageId, string MessageType, string? Destination, int Tries, string? LastError, DateTime ParkedAt);

internal sealed class OutboxParking<TDbContext>(TDbContext dbContext, OutboxDelivery<TDbContext> delivery) : IOutboxParking<TDbContext>
    where TDbContext : DbContext
{
    public async Task<IReadOnlyList<ParkedMessage>> ListAsync(int limit = 100, CancellationToken cancellationToken = default)
    {
        var messages = await ListOutboxAsync(limit, cancellationToken);
        if (dbContext.Model.FindEntityType(typeof(ScheduledMessageRow)) is null)
            return messages;
        var schedules = await dbContext.Set<ScheduledMessageRow>().AsNoTracking().Where(row => row.ParkedAt != null).OrderBy(row => row.ParkedAt).Take(limit)
            .ToListAsync(cancellationToken);
        return [.. messages, .. schedules.Select(row => new ParkedMessage(row.MessageId, ScheduledMessages.Restore(row.Message, row.MessageId, row.Destination).Message.MessageType, row.Destination, row.Tries, row.LastError, row.ParkedAt!.Value))];
    }

    // Not through the model: its addresses are URIs, and what was parked may have one that is none.
    private async Task<List<ParkedMessage>> ListOutboxAsync(int limit, CancellationToken cancellationToken)
    {
        var messages = new List<ParkedMessage>();
        await dbContext.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = dbContext.Database.CreateCommand();
            command.CommandText = $"SELECT \"MessageId\", \"MessageType\", \"DestinationAddress\", \"Tries\", \"LastError\", \"ParkedAt\" FROM {dbContext.TableName(typeof(OutboxMessage))} WHERE \"ParkedAt\" IS NOT NULL ORDER BY \"ParkedAt\" LIMIT {command.Add((long)limit)}";
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                messages.Add(new ParkedMessage(reader.GetGuid(0), reader.GetString(1), reader.IsDBNull(2) ? null : reader.GetString(2), reader.GetInt32(3), reader.IsDBNull(4) ? null : reader.GetString(4), SqlCommandExtensions.Utc(reader.GetDateTime(5))));
        }
        finally
        {
            await dbContext.Database.CloseConnectionAsync();
        }

        return messages;
    }

    public async Task<int> ReleaseAsync(Guid? messageId = null, CancellationToken cancellationToken = default)
    {
        var dialect = SqlDialect.Of(dbContext);
        int released;
        await using (var transaction = await dbContext.Database.BeginTransactionAsync(cancellationToken))
        {
            released = await ReleaseAsync(dialect, typeof(OutboxMessage), "\"ParkedAt\"", "\"Tries\"", "\"NextTryAt\"", "\"MessageId\"", messageId, cancellationToken);
            if (dbContext.Model.FindEntityType(typeof(ScheduledMessageRow)) is not null)
                released += await ReleaseAsync(dialect, typeof(ScheduledMessageRow), "parked_at", "tries", "due_at", "message_id", messageId, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        delivery.WakeAll();
        return released;
    }

    private async Task<int> ReleaseAsync(
        SqlDialect dialect, Type entity, string parked, string tries, string due, string id, Guid? messageId, CancellationToken cancellationToken)
    {
        await using var command = dbContext.Database.CreateCommand();
        command.CommandText = $"UPDATE {dbContext.TableName(entity)} SET {parked} = NULL, {tries} = 0, {due} = {dialect.Now} WHERE {parked} IS NOT NULL"
            + (messageId is null ? "" : $" AND {id} = {command.Add(messageId)}");
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
