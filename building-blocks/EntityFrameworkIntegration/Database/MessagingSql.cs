using System.Collections.Concurrent;
using System.Data;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>The tables and statements of one model's messaging, built once: every message needs them.</summary>
internal sealed class MessagingSql
{
    private static readonly ConditionalWeakTable<IModel, MessagingSql> Known = [];
    private readonly ConcurrentDictionary<int, string> _inserts = new();

    private MessagingSql(DbContext context)
    {
        Dialect = SqlDialect.Of(context);
        Inbox = context.TableName(typeof(InboxState));
        Outbox = context.TableName(typeof(OutboxMessage));
        Schedule = context.Model.FindEntityType(typeof(ScheduledMessageRow)) is null ? null : context.TableName(typeof(ScheduledMessageRow));
        Claim = $"""
            INSERT INTO {Inbox} ("MessageId","ConsumerId","LockId","Received","ReceiveCount","ExpirationTime","Consumed","Delivered")
            VALUES ($1,$2,$3,{Dialect.Now},1,$4,{Dialect.Now},{Dialect.Now})
            ON CONFLICT ("MessageId","ConsumerId") DO UPDATE SET "ReceiveCount" = {Inbox}."ReceiveCount" + 1
            RETURNING "ReceiveCount"
            """;
    }

    public SqlDialect Dialect { get; }

    public string Inbox { get; }

    public string Outbox { get; }

    /// <summary>Null when the model has no schedules.</summary>
    public string? Schedule { get; }

    /// <summary>Claims a message for a consumer. Message, consumer, lock, expiry; gives the number of deliveries, 1 for the first.</summary>
    public string Claim { get; }

    /// <exception cref="InvalidOperationException">The model lacks a table.</exception>
    public static MessagingSql Of(DbContext context) =>
        Known.TryGetValue(context.Model, out var known) ? known : Known.GetValue(context.Model, _ => new MessagingSql(context));

    /// <summary>Inserts so many rows of <see cref="OutboxRows.Bind"/>; gives sequence number and message id of each.</summary>
    public string Insert(int rows) => _inserts.GetOrAdd(rows, BuildInsert);

    private string BuildInsert(int rows)
    {
        var width = OutboxRows.ValuesPerRow;
        var values = Enumerable.Range(0, rows).Select(row =>
        {
            var first = row * width;
            var columns = Enumerable.Range(first + 1, width - 1).Select(index => $"${index}");
            return $"({string.Join(',', columns)},{Dialect.NowPlus($"${first + width}")},0)";
        });
        return $"INSERT INTO {Outbox} ({OutboxRows.ColumnList},\"NextTryAt\",\"Tries\") VALUES {string.Join(',', values)} RETURNING \"SequenceNumber\",\"MessageId\"";
    }
}
