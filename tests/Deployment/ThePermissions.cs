using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Assay.TestServers;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Assay.Deployment;

[Trait("Needs", "Servers")]
[Collection(nameof(RunningSystem))]
public sealed class ThePermissions(RunningSystem system)
{
    [Fact]
    public async Task Should_let_every_service_do_its_part_of_an_audit_and_of_an_operators_work()
    {
        var before = system.Broker.Log.Count;
        var first = await system.RunAuditAsync("Permitted");
        first.GetProperty("status").GetString().ShouldBe("Completed", first.ToString() + string.Join('\n', system.Broker.Log));
        var id = first.GetProperty("auditId").GetString();
        var other = (await system.RunAuditAsync("Allowed")).GetProperty("auditId").GetString();

        // Its end has the saga itself request audits.
        var parent = (await system.WaitForTheEndAsync(await system.RequestAuditAsync("Parental", auditCompetitors: true))).ToString();
        parent.ShouldContain("Completed");
        await EventuallyAsync(async () => (await system.Api.GetFromJsonAsync<JsonElement>("api/audits?brand=Sony&status=Completed")).GetProperty("total").GetInt32() == 1, "the competitor's own audit, completed");

        // Everything that asks another service and waits for its answer.
        await PostAsync("api/audits/quote", RunningSystem.Request("Quoted"));
        await PostAsync("api/spending/halt", new { reason = "tests" });
        await PostAsync("api/spending/resume", new { reason = "tests" });
        await GetAsync("api/spending");
        await GetAsync($"api/audits/{id}/answers");
        await GetAsync($"api/audits/{id}/report?format=json");
        await GetAsync($"api/audits/{id}/compare/{other}");
        await PostAsync($"api/audits/{id}/rederive", new { });
        using var erased = await system.Api.DeleteAsync(new Uri($"api/audits/{id}?reason=tests", UriKind.Relative));
        erased.IsSuccessStatusCode.ShouldBeTrue(await erased.Content.ReadAsStringAsync());

        RefusalsSince(before).ShouldBeEmpty();
    }

    [Fact]
    public async Task Should_let_a_service_park_what_it_cannot_read_in_its_error_queue()
    {
        var before = system.Broker.Log.Count;
        await using var analyzer = await ConnectAsync("analyzer");
        await using var channel = await ChannelAsync(analyzer);

        await PublishAsync(channel, "Assay.Contracts.Internal.LlmGateway:AnswersStored", "", "not an envelope");

        await EventuallyAsync(async () => await system.Broker.CountMessagesAsync("assay", "answers-stored_error") == 1, "the message in answers-stored_error");
        RefusalsSince(before).ShouldBeEmpty();
    }

    [Fact]
    public async Task Should_refuse_a_service_the_queues_of_another()
    {
        var queues = (await Definitions.TablesAsync()).GetProperty("queues");
        foreach (var user in Definitions.Services.Append(Definitions.Producer).Append(Definitions.HttpProducer))
        {
            await using var connection = await ConnectAsync(user);
            foreach (var owner in queues.EnumerateObject().Where(owner => owner.Name != user))
            {
                var queue = "";
                foreach (var one in owner.Value.EnumerateArray())
                {
                    queue = one.GetString()!;
                    await ShouldBeRefusedAsync(connection, $"{user} consumes {queue}", channel => channel.BasicConsumeAsync(queue, autoAck: false, new AsyncDefaultBasicConsumer(channel)));
                    await ShouldBeRefusedAsync(connection, $"{user} writes to {queue}", channel => PublishAsync(channel, queue, "", "{}"));
                }

                await ShouldBeRefusedAsync(connection, $"{user} gets from {queue}", channel => channel.BasicGetAsync(queue, autoAck: false));
                await ShouldBeRefusedAsync(connection, $"{user} purges {queue}", channel => channel.QueuePurgeAsync(queue));
                await ShouldBeRefusedAsync(connection, $"{user} deletes {queue}", channel => channel.QueueDeleteAsync(queue));
                await ShouldBeRefusedAsync(connection, $"{user} binds {queue}", channel => channel.QueueBindAsync(queue, "Assay.Contracts:AuditCompleted", ""));
                await ShouldBeRefusedAsync(connection, $"{user} declares {queue}_error", channel => channel.QueueDeclareAsync($"{queue}_error", durable: true, exclusive: false, autoDelete: false));
                await ShouldBeRefusedAsync(connection, $"{user} writes past the exchanges to {queue}", channel => PublishAsync(channel, "", queue, "{}"));
            }
        }
    }

    [Fact]
    public async Task Should_let_everybody_send_only_what_is_theirs_to_send()
    {
        var messages = (await Definitions.TablesAsync()).GetProperty("messages").EnumerateObject().ToList();
        var live = (await system.Broker.GetAsync("api/exchanges/assay")).EnumerateArray().Select(exchange => exchange.GetProperty("name").GetString()!).ToHashSet(StringComparer.Ordinal);
        foreach (var user in Definitions.Services.Append(Definitions.Producer))
        {
            var role = user == Definitions.Producer ? "producers" : user;
            await using var connection = await ConnectAsync(user);
            foreach (var message in messages.Where(message => live.Contains(message.Name)))
            {
                if (message.Value.GetProperty("from").EnumerateArray().All(sender => sender.GetString() != role))
                    await ShouldBeRefusedAsync(connection, $"{user} sends {message.Name}", channel => PublishAsync(channel, message.Name, "", "{}"));
            }
        }
    }

    [Fact]
    public async Task Should_hide_the_answers_to_the_dashboard_from_everybody_else()
    {
        const string answers = "host_AssayDashboard_bus_abc123";
        await using var dashboard = await ConnectAsync("dashboard");
        await using var own = await ChannelAsync(dashboard);
        await own.QueueDeclareAsync(answers, durable: false, exclusive: false, autoDelete: true);
        foreach (var user in new[] { "saga", "gateway", "analyzer", Definitions.Producer })
        {
            await using var connection = await ConnectAsync(user);
            await ShouldBeRefusedAsync(connection, $"{user} reads the dashboard's answers", channel => channel.BasicGetAsync(answers, autoAck: false));
        }
    }

    [Fact]
    public async Task Should_move_what_crashes_its_consumer_twenty_times_to_the_dead_letter_queue()
    {
        await using var producer = await ConnectAsync(Definitions.Producer);
        await using var channel = await ChannelAsync(producer);
        await channel.QueueDeclareAsync("producer-crash", durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?>(StringComparer.Ordinal) { ["x-queue-type"] = "quorum" });
        await channel.ExchangeDeclareAsync("producer-crash", ExchangeType.Fanout, durable: true);
        await channel.QueueBindAsync("producer-crash", "producer-crash", "");
        var before = await system.Broker.CountMessagesAsync("assay", "assay-dead-letter") ?? 0;
        await PublishAsync(channel, "producer-crash", "", "a message that kills");

        var deliveries = 0;
        for (var look = 0; look < 400 && deliveries <= 21; look++)
        {
            if (await channel.BasicGetAsync("producer-crash", autoAck: false) is { } delivery)
            {
                deliveries++;
                await channel.BasicNackAsync(delivery.DeliveryTag, multiple: false, requeue: true);
            }
            else if (deliveries > 0 && await system.Broker.CountMessagesAsync("assay", "producer-crash") == 0)
                break;
            else
                await Task.Delay(25);
        }

        deliveries.ShouldBe(21);
        await EventuallyAsync(async () => await system.Broker.CountMessagesAsync("assay", "assay-dead-letter") == before + 1, "the message in assay-dead-letter");
        await channel.QueueDeleteAsync("producer-crash");
        await channel.ExchangeDeleteAsync("producer-crash");
    }

    [Fact]
    public async Task Should_put_every_queue_under_the_limits_that_the_policy_claims()
    {
        List<JsonElement> queues = [];
        // The management plugin says what a queue is under some seconds after it was made.
        await EventuallyAsync(async () =>
        {
            queues = [.. (await system.Broker.GetAsync("api/queues/assay")).EnumerateArray().Where(queue => !queue.GetProperty("name").GetString()!.Contains("_bus_", StringComparison.Ordinal))];
            return queues.TrueForAll(queue => queue.TryGetProperty("policy", out _) && queue.TryGetProperty("effective_policy_definition", out _));
        }, "the policy of every queue");
        foreach (var queue in queues)
        {
            var name = queue.GetProperty("name").GetString()!;
            queue.GetProperty("type").GetString().ShouldBe("quorum", name);
            if (name == "assay-dead-letter")
            {
                // Nothing may end the stay of a message there but a person.
                queue.GetProperty("arguments").TryGetProperty("x-delivery-limit", out _).ShouldBeFalse();
                queue.TryGetProperty("policy", out var none).ShouldBeTrue();
                none.ValueKind.ShouldBe(JsonValueKind.Null);
                continue;
            }

            var policy = queue.GetProperty("effective_policy_definition");
            queue.GetProperty("policy").GetString().ShouldBe("assay-work", name);
            policy.GetProperty("delivery-limit").GetInt32().ShouldBe(20, name);
            policy.GetProperty("dead-letter-exchange").GetString().ShouldBe("assay-dead-letter", name);
            policy.GetProperty("dead-letter-strategy").GetString().ShouldBe("at-least-once", name);
            policy.GetProperty("overflow").GetString().ShouldBe("reject-publish", name);
        }
    }

    [Theory]
    [InlineData("Saga")]
    [InlineData("a-b")]
    [InlineData("ask")]
    [InlineData("gateway")]
    public async Task Should_refuse_a_producers_name_that_would_open_a_service(string name)
    {
        var (exitCode, output) = await Shell.RunAsync("node", ["deploy/rabbitmq/definitions.mjs", $$$"""{"producers":{"{{{name}}}":"x"}}"""]);

        exitCode.ShouldNotBe(0);
        output.ShouldContain("cannot be a producer's name");
    }

    IEnumerable<string> RefusalsSince(int line) => system.Broker.Log.Skip(line).Where(text => text.Contains("refused", StringComparison.OrdinalIgnoreCase));

    async Task GetAsync(string path)
    {
        using var response = await system.Api.GetAsync(new Uri(path, UriKind.Relative));
        response.IsSuccessStatusCode.ShouldBeTrue($"GET {path}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
    }

    async Task PostAsync(string path, object body)
    {
        using var response = await system.Api.PostAsJsonAsync(path, body);
        response.IsSuccessStatusCode.ShouldBeTrue($"POST {path}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
    }

    async Task<IConnection> ConnectAsync(string user) => await new ConnectionFactory
    {
        HostName = system.Broker.Host, Port = system.Broker.Port, VirtualHost = "assay", UserName = user, Password = system.Passwords[user],
    }.CreateConnectionAsync();

    static Task<IChannel> ChannelAsync(IConnection connection) =>
        connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));

    static Task PublishAsync(IChannel channel, string exchange, string key, string body) =>
        channel.BasicPublishAsync(exchange, key, mandatory: false, new BasicProperties { ContentType = "application/vnd.masstransit+json", Persistent = true }, Encoding.UTF8.GetBytes(body)).AsTask();

    /// <summary>A refusal closes the channel, so each try has its own.</summary>
    static async Task ShouldBeRefusedAsync(IConnection connection, string what, Func<IChannel, Task> act)
    {
        await using var channel = await ChannelAsync(connection);
        try
        {
            await act(channel).WaitAsync(TimeSpan.FromSeconds(20));
        }
        catch (OperationInterruptedException refused)
        {
            (refused.ShutdownReason?.ReplyCode).ShouldBe((ushort)403, $"{what}: {refused.Message}");
            return;
        }

        Assert.Fail($"The broker lets it pass that {what}.");
    }

    static async Task EventuallyAsync(Func<Task<bool>> isTrue, string what)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await isTrue())
        {
            limit.IsCancellationRequested.ShouldBeFalse($"{what} was not seen within a minute");
            await Task.Delay(100, CancellationToken.None);
        }
    }
}
