using System.Data;
using Microsoft.EntityFrameworkCore;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// The outbox outside consumers: messages become rows of the DbContext's database, in the caller's own transaction, and leave after its
/// commit. Scoped, with the scope's DbContext; not for concurrent use. Inside a consumer of the same DbContext it joins the consumer's outbox.
/// </summary>
/// <typeparam name="TDbContext">A DbContext registered with <c>AddEntityFrameworkOutbox</c>.</typeparam>
public interface IDbContextOutbox<out TDbContext>
    where TDbContext : DbContext
{
    /// <summary>The scope's DbContext.</summary>
    TDbContext DbContext { get; }

    /// <summary>Collects a message to be published; nothing is written yet.</summary>
    /// <typeparam name="T">The message type.</typeparam>
    /// <param name="message">The message.</param>
    /// <param name="cancellationToken">Stops the capture.</param>
    Task Publish<T>(T message, CancellationToken cancellationToken = default)
        where T : class;

    /// <summary>Collects a message to be published, with its headers, ids or time to live set.</summary>
    /// <typeparam name="T">The message type.</typeparam>
    /// <param name="message">The message.</param>
    /// <param name="configure">Sets what belongs to the envelope.</param>
    /// <param name="cancellationToken">Stops the capture.</param>
    Task Publish<T>(T message, Action<SendContext<T>> configure, CancellationToken cancellationToken = default)
        where T : class;

    /// <summary>Collects a message for one address. Use <c>exchange:name</c>: <c>queue:name</c> would declare a classic queue.</summary>
    /// <typeparam name="T">The message type.</typeparam>
    /// <param name="destination">Where it goes.</param>
    /// <param name="message">The message.</param>
    /// <param name="cancellationToken">Stops the capture.</param>
    Task Send<T>(Uri destination, T message, CancellationToken cancellationToken = default)
        where T : class;

    /// <summary>
    /// Schedules a message for one address in the caller's transaction; one must be open. Cancel with <see cref="Unschedule"/>.
    /// </summary>
    /// <typeparam name="T">The message type.</typeparam>
    /// <param name="destination">Where it goes.</param>
    /// <param name="dueAt">When (UTC). Measured from now and then kept on the database's clock.</param>
    /// <param name="message">The message.</param>
    /// <param name="cancellationToken">Stops the write.</param>
    /// <returns>The token that cancels it.</returns>
    /// <exception cref="InvalidOperationException">No transaction is open.</exception>
    Task<Guid> Schedule<T>(Uri destination, DateTime dueAt, T message, CancellationToken cancellationToken = default)
        where T : class;

    /// <summary>Cancels a schedule in the caller's transaction; one must be open. Unknown tokens are ignored.</summary>
    /// <param name="tokenId">What <see cref="Schedule{T}"/> returned, or the token a state machine stored.</param>
    /// <param name="cancellationToken">Stops the write.</param>
    /// <exception cref="InvalidOperationException">No transaction is open.</exception>
    Task Unschedule(Guid tokenId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Saves the DbContext's changes and the collected messages. With a transaction open on the DbContext (<c>BeginTransaction</c> or
    /// <c>UseTransaction</c>) it writes into that one: commit it and call <see cref="NotifyCommitted()"/>. Without one it opens and commits
    /// its own, and the messages leave at once.
    /// </summary>
    /// <param name="cancellationToken">Stops the write.</param>
    Task SaveChangesAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Takes the collected messages as plain rows, to be inserted by the caller's own SQL in its own transaction:
    /// <see cref="OutboxSql"/> has the statement. Give them to <see cref="NotifyCommitted(IReadOnlyList{OutboxMessage})"/> after the commit.
    /// </summary>
    IReadOnlyList<OutboxMessage> TakeRows();

    /// <summary>Says that the caller's transaction is committed: what <see cref="SaveChangesAsync"/> wrote into it is sent now. Forgotten, the sweeper sends it some seconds later.</summary>
    void NotifyCommitted();

    /// <summary>Says that rows which the caller inserted itself are committed: they are sent now. Forgotten, the sweeper sends them when their <c>NextTryAt</c> has come.</summary>
    /// <param name="rows">Rows of <see cref="TakeRows"/>; with their <see cref="OutboxMessage.SequenceNumber"/> they are deleted by it, without by their message id.</param>
    void NotifyCommitted(IReadOnlyList<OutboxMessage> rows);
}

/// <summary>The INSERT for callers that write outbox rows with their own SQL on PostgreSQL.</summary>
public static class OutboxSql
{
    /// <summary>
    /// One row; its parameters <c>$1 … $19</c> in the order of <see cref="PostgresValues"/>. The writer has ten seconds to send the row
    /// before a sweeper takes it.
    /// </summary>
    public static string PostgresInsert { get; } =
        $"""
        INSERT INTO "OutboxMessage" ({OutboxRows.ColumnList},"NextTryAt","Tries")
        VALUES ({string.Join(',', Enumerable.Range(1, 19).Select(index => $"${index}"))}, statement_timestamp() + interval '10 seconds', 0)
        """;

    /// <summary>Adds one row's values as positional parameters, for example to an <c>NpgsqlBatchCommand</c>.</summary>
    /// <param name="row">The row.</param>
    /// <param name="add">Adds a typed value; null for NULL.</param>
    public static void PostgresValues(OutboxMessage row, Action<DbType, object?> add)
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(add);
        OutboxRows.AddValues(row, add);
    }
}
