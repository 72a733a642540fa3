using System.Diagnostics;
using System.Globalization;
using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Assay.ServiceDefaults;

/// <summary>
/// Looks into error and dead-letter queues over AMQP: takes messages without acknowledging them and gives them back. One look at a time
/// in this process, each on a connection of its own.
/// </summary>
sealed class RabbitMqFaultedMessages(RabbitMqOptions options, string deadLetterQueue) : IFaultedMessages, IDisposable
{
    /// <summary>The oldest so many of a queue are shown.</summary>
    const int MostShown = 200;

    const int MostBytes = 32 * 1024 * 1024;

    /// <summary>A quorum queue drops or moves a message after so many returns (its delivery limit, 20); well before, a fresh copy takes its place.</summary>
    const long MostReturns = 10;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    static readonly TimeSpan SettlingTime = TimeSpan.FromSeconds(2);
    readonly SemaphoreSlim oneAtATime = new(1, 1);

    /// <summary>How many dead letters the last walk for expired requests left.</summary>
    long stayed;

    public string? Unavailable => null;

    string User => options.OperationsUsername is { Length: > 0 } own ? own : options.Username;

    public Task<IReadOnlyList<FaultedQueue>> LookAsync(IReadOnlyCollection<string> endpoints, CancellationToken cancellationToken) =>
        OnBrokerAsync<IReadOnlyList<FaultedQueue>>("to show its error queues", Patience, async (connection, stop) =>
        {
            List<FaultedQueue> queues = [];
            var names = endpoints.Where(name => name.Length > 0 && name != deadLetterQueue).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)
                .SelectMany(name => new[] { name + FaultHeaders.ErrorSuffix, name + FaultHeaders.SkippedSuffix }).Append(deadLetterQueue);
            foreach (var name in names)
            {
                if (await CountAsync(connection, name, stop) is not (> 0 and var count))
                    continue;
                List<FaultedMessage> messages = [];
                await WalkAsync(connection, name, count, Math.Min(count, MostShown), (message, _) =>
                {
                    messages.Add(message);
                    return Task.FromResult(false);
                }, stop);
                queues.Add(new FaultedQueue(name, count, messages));
            }

            return queues;
        }, cancellationToken);

    public async Task<int> SendAgainAsync(string queue, Func<FaultedMessage, bool> which, CancellationToken cancellationToken)
    {
        var sent = 0;
        try
        {
            return await OnBrokerAsync($"to send messages of {queue} again", TimeSpan.FromMinutes(2), async (connection, stop) =>
            {
                // Not more than there are now: what fails again comes back behind.
                if (await CountAsync(connection, queue, stop) is not (> 0 and var count))
                    return 0;
                // What leaves here makes room for a request that expires meanwhile: the same count is then no proof that there is none.
                stayed = 0;
                await WalkAsync(connection, queue, count, count, async (message, send) =>
                {
                    if (message.IsExpiredRequest || !which(message))
                        return false;
                    await send(message.Destination);
                    sent++;
                    return true;
                }, stop);
                return sent;
            }, cancellationToken);
        }
        catch (BrokerUnavailableException exception) when (sent > 0)
        {
            throw new BrokerUnavailableException($"{sent} messages of {queue} were sent again, then: {exception.Message}", exception);
        }
    }

    public Task<int> DropExpiredRequestsAsync(CancellationToken cancellationToken) => OnBrokerAsync("to drop expired requests", Patience, async (connection, stop) =>
    {
        // What stays was looked at before: only news are a reason to walk.
        if (await CountAsync(connection, deadLetterQueue, stop) is not (> 0 and var count) || count == stayed)
            return 0;
        var dropped = 0;
        await WalkAsync(connection, deadLetterQueue, count, count, (message, _) =>
        {
            if (message.IsExpiredRequest)
                dropped++;
            return Task.FromResult(message.IsExpiredRequest);
        }, stop);
        stayed = count - dropped;
        return dropped;
    }, cancellationToken);

    public void Dispose() => oneAtATime.Dispose();

    async Task<T> OnBrokerAsync<T>(string what, TimeSpan patience, Func<IConnection, CancellationToken, Task<T>> act, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        await oneAtATime.WaitAsync(limit.Token);
        try
        {
            await using var connection = await new ConnectionFactory
            {
                VirtualHost = options.VirtualHost, UserName = User,
                Password = options.OperationsUsername is { Length: > 0 }
                    ? SecretFile.Read("RabbitMq__OperationsPassword", options.OperationsPassword, options.OperationsPasswordFile) ?? ""
                    : SecretFile.Read("RabbitMq__Password", options.Password, options.PasswordFile) ?? "guest",
                AutomaticRecoveryEnabled = false, RequestedConnectionTimeout = TimeSpan.FromSeconds(5), ContinuationTimeout = TimeSpan.FromSeconds(5),
            }.CreateConnectionAsync(options.Addresses.Select(node => new AmqpTcpEndpoint(node.Host, node.Port, new SslOption
            {
                Enabled = options.UseTls, ServerName = options.Host, Version = BrokerTls.Protocols, CertificateValidationCallback = BrokerTls.CheckFor(options),
            })), "assay operations", limit.Token);
            return await act(connection, limit.Token);
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.AccessRefused)
        {
            throw new BrokerUnavailableException($"The broker's user '{User}' may not do this ({exception.ShutdownReason.ReplyText}). Give one that may read and write every queue with RabbitMq__OperationsUsername and RabbitMq__OperationsPasswordFile.", exception);
        }
        catch (Exception exception) when (exception is RabbitMQClientException or IOException or TimeoutException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new BrokerUnavailableException($"The broker at {string.Join(", ", options.Addresses.Select(node => $"{node.Host}:{node.Port}"))} was asked {what} and did not: {exception.Message} Check that it runs, then try again; no message was lost.", exception);
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    /// <summary>Ready messages, or null if there is no such queue: the broker closes the channel that asked for it.</summary>
    static async Task<long?> CountAsync(IConnection connection, string queue, CancellationToken cancellationToken)
    {
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        try
        {
            return (await channel.QueueDeclarePassiveAsync(queue, cancellationToken)).MessageCount;
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return null;
        }
    }

    /// <summary>
    /// Takes up to <paramref name="most"/> of the <paramref name="ready"/> messages; the visitor says whether one is done with (then it is
    /// acknowledged). All others go back, at their old places.
    /// </summary>
    static async Task WalkAsync(IConnection connection, string queue, long ready, long most, Func<FaultedMessage, Func<string, Task>, Task<bool>> visit, CancellationToken cancellationToken)
    {
        // Closing the channel, as any failure does, gives back what was not acknowledged.
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), cancellationToken);
        ulong? last = null;
        var bytes = 0L;
        for (var taken = 0L; taken < most && bytes < MostBytes; taken++)
        {
            if (await channel.BasicGetAsync(queue, autoAck: false, cancellationToken) is not { } delivery)
                break;
            bytes += delivery.Body.Length;
            var headers = HeadersOf(delivery.BasicProperties);
            var message = FaultedMessage.Read(queue, null, headers, delivery.BasicProperties.MessageId, delivery.Body.Span);
            // Confirmed and mandatory: it throws when the broker refuses the copy or has no queue for it, and the original stays.
            var done = await visit(message, destination => PublishAsync(channel, destination, delivery, again: true, cancellationToken));
            if (done)
                ready--;
            else if (long.TryParse(headers.GetValueOrDefault(FaultHeaders.DeliveryCount), CultureInfo.InvariantCulture, out var returns) && returns >= MostReturns)
            {
                await PublishAsync(channel, queue, delivery, again: false, cancellationToken);
                done = true;
            }

            if (done)
                await channel.BasicAckAsync(delivery.DeliveryTag, multiple: false, cancellationToken);
            else
                last = delivery.DeliveryTag;
        }

        if (last is not { } tag)
            return;
        await channel.BasicNackAsync(tag, multiple: true, requeue: true, cancellationToken);
        await GivenBackAsync(channel, queue, ready, cancellationToken);
    }

    /// <summary>
    /// A quorum queue has its messages back once its log is written; until then it neither counts nor gives them, and the next look, or the
    /// sending again that follows this one, would find nothing. Bounded: somebody else may have taken some meanwhile.
    /// </summary>
    static async Task GivenBackAsync(IChannel channel, string queue, long ready, CancellationToken cancellationToken)
    {
        var since = Stopwatch.GetTimestamp();
        while (await channel.MessageCountAsync(queue, cancellationToken) < ready && Stopwatch.GetElapsedTime(since) < SettlingTime)
            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken);
    }

    /// <summary>The message as it was, to one queue. Sent again it starts anew: without the marks of its past failure.</summary>
    static async Task PublishAsync(IChannel channel, string queue, BasicGetResult delivery, bool again, CancellationToken cancellationToken)
    {
        var properties = new BasicProperties(delivery.BasicProperties) { Persistent = true };
        properties.Headers = delivery.BasicProperties.Headers?.Where(header => again ? !FaultHeaders.IsOfThePast(header.Key) : header.Key != FaultHeaders.DeliveryCount)
            .ToDictionary(header => header.Key, header => header.Value, StringComparer.Ordinal);
        if (again)
            properties.ClearExpiration();
        await channel.BasicPublishAsync("", queue, mandatory: true, properties, delivery.Body, cancellationToken);
    }

    static Dictionary<string, string> HeadersOf(IReadOnlyBasicProperties properties)
    {
        Dictionary<string, string> headers = new(StringComparer.Ordinal);
        foreach (var (name, value) in properties.Headers ?? new Dictionary<string, object?>(StringComparer.Ordinal))
            if (value is byte[] text)
                headers[name] = Encoding.UTF8.GetString(text);
            else if (value is string or int or long or short or byte)
                headers[name] = Convert.ToString(value, CultureInfo.InvariantCulture)!;
        return headers;
    }
}
