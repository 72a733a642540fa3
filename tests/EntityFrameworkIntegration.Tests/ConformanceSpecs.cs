using Assay.EntityFrameworkIntegration.Tests.Orders;
using Assay.TestServers;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Assay.EntityFrameworkIntegration.Tests;

/// <summary>The same cases on both databases; effects are counted in a table.</summary>
public abstract class When_messages_are_consumed_in_transactions
{
    protected abstract Task<OrderSurroundings> SurroundingsAsync();

    [Fact]
    public async Task Should_consume_a_message_sent_five_times_once()
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync());
        var (order, message) = (NewId.NextGuid(), NewId.NextGuid());

        for (var i = 0; i < 5; i++)
            await host.Bus.Publish(new PlaceOrder { OrderId = order }, context => context.MessageId = message);

        Func<Task<int>> placed = () => host.CountAsync("placed", order);
        Func<Task<int>> heard = () => host.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of the response");
        Func<Task<int>> deliveries = () => host.InScopeAsync(database => database.Set<InboxState>().Where(inbox => inbox.MessageId == message).Select(inbox => inbox.ReceiveCount).SingleOrDefaultAsync());
        await deliveries.ShouldBecomeAsync(5, "deliveries counted in the inbox");
        (await placed()).ShouldBe(1);
        await heard.ShouldStayAsync(1, "effects of the response");
        await OutboxShouldBeEmptyAsync(host);
    }

    [Fact]
    public async Task Should_consume_a_response_sent_five_times_once()
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync());
        var (order, message) = (NewId.NextGuid(), NewId.NextGuid());

        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => host.Bus.Publish(new OrderPlaced { OrderId = order }, context => context.MessageId = message)));

        Func<Task<int>> deliveries = () => host.InScopeAsync(database => database.Set<InboxState>().Where(inbox => inbox.MessageId == message).Select(inbox => inbox.ReceiveCount).SingleOrDefaultAsync());
        await deliveries.ShouldBecomeAsync(5, "deliveries counted in the inbox");
        (await host.CountAsync("heard", order)).ShouldBe(1);
    }

    [Fact]
    public async Task Should_count_every_message_for_one_saga_when_stored_optimistically()
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync(), mode: ConcurrencyMode.Optimistic);
        var order = NewId.NextGuid();

        await Task.WhenAll(Enumerable.Range(0, 8).Select(number => host.Bus.Publish(new CountOrder { OrderId = order, Number = number })));

        Func<Task<int>> counted = async () => (await host.FindOrderAsync(order))?.Counted ?? 0;
        await counted.ShouldBecomeAsync(8, "counted messages");
        await counted.ShouldStayAsync(8, "counted messages");
    }

    [Fact]
    public async Task Should_load_and_query_sagas_outside_messages()
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync());
        var order = NewId.NextGuid();
        await host.Bus.Publish(new StartOrder { OrderId = order });
        Func<Task<string?>> state = async () => (await host.FindOrderAsync(order))?.CurrentState;
        await state.ShouldBecomeAsync("Running", "state");

        await using var scope = host.Services.CreateAsyncScope();
        (await scope.ServiceProvider.GetRequiredService<ILoadSagaRepository<OrderState>>().Load(order)).CurrentState.ShouldBe("Running");
        var query = new MassTransit.Saga.SagaQuery<OrderState>(saga => saga.CurrentState == "Running");
        (await scope.ServiceProvider.GetRequiredService<IQuerySagaRepository<OrderState>>().Find(query)).ShouldHaveSingleItem().ShouldBe(order);
    }

    [Fact]
    public async Task Should_forget_consumed_messages_when_their_window_is_over()
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync(), outbox => outbox.DuplicateDetectionWindow = TimeSpan.FromSeconds(-1));
        await host.InScopeAsync(database =>
        {
            database.Add(new InboxState { MessageId = NewId.NextGuid(), ConsumerId = NewId.NextGuid(), Received = DateTime.UtcNow, Consumed = DateTime.UtcNow, Delivered = DateTime.UtcNow });
            database.Add(new InboxState { MessageId = NewId.NextGuid(), ConsumerId = NewId.NextGuid(), Received = DateTime.UtcNow, Consumed = DateTime.UtcNow, Delivered = DateTime.UtcNow.AddHours(1) });
            return database.SaveChangesAsync();
        });

        Func<Task<int>> remembered = () => host.InScopeAsync(database => database.Set<InboxState>().CountAsync());
        await remembered.ShouldBecomeAsync(1, "consumed messages: the window of one is not over", TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Should_leave_consumed_messages_to_another_instance_when_it_is_not_to_clean_up()
    {
        var surroundings = await SurroundingsAsync();
        await using (var host = await OrderHost.StartAsync(surroundings, outbox =>
        {
            outbox.DuplicateDetectionWindow = TimeSpan.FromSeconds(-1);
            outbox.DisableInboxCleanupService();
        }))
        {
            await host.InScopeAsync(database =>
            {
                database.Add(new InboxState { MessageId = NewId.NextGuid(), ConsumerId = NewId.NextGuid(), Received = DateTime.UtcNow, Consumed = DateTime.UtcNow, Delivered = DateTime.UtcNow });
                return database.SaveChangesAsync();
            });
            await Remembered(host).ShouldStayAsync(1, "consumed messages", TimeSpan.FromSeconds(3));
        }

        await using var other = await OrderHost.StartAsync(surroundings, outbox => outbox.DuplicateDetectionWindow = TimeSpan.FromSeconds(-1));
        await Remembered(other).ShouldBecomeAsync(0, "consumed messages");

        static Func<Task<int>> Remembered(OrderHost host) => () => host.InScopeAsync(database => database.Set<InboxState>().CountAsync());
    }

    [Fact]
    public async Task Should_send_all_that_waits_however_few_it_takes_and_sends_at_once()
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync(), outbox =>
        {
            outbox.QueryMessageLimit = 3;
            outbox.MessageDeliveryLimit = 2;
            outbox.MessageDeliveryTimeout = TimeSpan.FromMilliseconds(500);
        });
        var order = NewId.NextGuid();

        await host.WithOutboxAsync(async outbox =>
        {
            await using var transaction = await outbox.DbContext.Database.BeginTransactionAsync();
            for (var i = 0; i < 10; i++)
                await outbox.Publish(new OrderPlaced { OrderId = order });
            await outbox.SaveChangesAsync();
            await transaction.CommitAsync();
        });

        Func<Task<int>> heard = () => host.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(10, "effects");
        await OutboxShouldBeEmptyAsync(host);
        await heard.ShouldStayAsync(10, "effects");
    }

    [Fact]
    public async Task Should_join_the_consumers_outbox_when_the_explicit_one_is_used_inside()
    {
        var control = new ConsumerSwitch();
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync(), control: control, configure: bus => bus.AddConsumer<InnerOutboxConsumer, OrderConsumerDefinition<InnerOutboxConsumer>>());
        var order = NewId.NextGuid();

        await host.Bus.Publish(new Inner { OrderId = order });

        Func<Task<int>> heard = () => host.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of what the second attempt sent");
        await heard.ShouldStayAsync(1, "effects: the failed first attempt sent nothing");
        control.Attempts[order].ShouldBe(2);
    }

    [Fact]
    public async Task Should_store_and_send_nothing_of_an_attempt_that_failed()
    {
        var control = new ConsumerSwitch { OnPlaceOrder = (_, attempt) => attempt <= 2 ? throw new InvalidOperationException("Not yet.") : Task.CompletedTask };
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync(), control: control);
        var order = NewId.NextGuid();

        await host.Bus.Publish(new PlaceOrder { OrderId = order });

        Func<Task<int>> heard = () => host.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of the response");
        (await host.CountAsync("placed", order)).ShouldBe(1);
        control.Attempts[order].ShouldBe(3);
        await heard.ShouldStayAsync(1, "effects of the response");
    }

    [Fact]
    public async Task Should_retry_and_redeliver_poison_and_fault_once()
    {
        var surroundings = await SurroundingsAsync();
        await using var host = await OrderHost.StartAsync(surroundings);
        var order = NewId.NextGuid();

        await host.Bus.Publish(new Poison { OrderId = order });

        Func<Task<int>> faulted = () => host.CountAsync("faulted", order);
        await faulted.ShouldBecomeAsync(1, "faults");
        host.Control.Attempts[order].ShouldBe(9, "3 deliveries of 3 attempts each");
        (await host.CountAsync("poisoned", order)).ShouldBe(0);
        await faulted.ShouldStayAsync(1, "faults");
        if (surroundings.VirtualHost is { } virtualHost)
        {
            var rabbit = await PrivateRabbitMq.Shared;
            Func<Task<long?>> errors = () => rabbit.CountMessagesAsync(virtualHost, "poison_error");
            await errors.ShouldBecomeAsync(1, "messages in the error queue");
        }
    }

    [Fact]
    public async Task Should_count_every_message_for_one_saga_when_sixteen_arrive_at_once()
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync());
        var order = NewId.NextGuid();

        await Task.WhenAll(Enumerable.Range(0, 200).Select(number => host.Bus.Publish(new CountOrder { OrderId = order, Number = number })));

        Func<Task<int>> counted = async () => (await host.FindOrderAsync(order))?.Counted ?? 0;
        await counted.ShouldBecomeAsync(200, "counted messages");
        (await host.FindOrderAsync(order))!.Version.ShouldBeGreaterThanOrEqualTo(200);
    }

    [Fact]
    public async Task Should_create_one_saga_when_its_first_messages_race()
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync());
        var orders = Enumerable.Range(0, 10).Select(_ => NewId.NextGuid()).ToList();

        await Task.WhenAll(orders.SelectMany(order => Enumerable.Range(0, 4).Select(number => host.Bus.Publish(new CountOrder { OrderId = order, Number = number }))));

        Func<Task<int>> counted = () => host.InScopeAsync(database => database.Orders.Where(order => orders.Contains(order.CorrelationId)).SumAsync(order => order.Counted));
        await counted.ShouldBecomeAsync(40, "counted messages");
    }

    [Fact]
    public async Task Should_deliver_a_schedule_of_a_saga()
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync());
        var order = NewId.NextGuid();

        await host.Bus.Publish(new StartOrder { OrderId = order, RemindAfter = TimeSpan.FromMilliseconds(400) });

        Func<Task<string?>> state = async () => (await host.FindOrderAsync(order))?.CurrentState;
        await state.ShouldBecomeAsync("Running", "state before the reminder");
        await state.ShouldBecomeAsync("Reminded", "state after the reminder");
        (await host.InScopeAsync(database => database.Set<ScheduledMessageRow>().CountAsync())).ShouldBe(0);
    }

    [Fact]
    public async Task Should_not_deliver_a_schedule_that_was_cancelled()
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync());
        var order = NewId.NextGuid();
        await host.Bus.Publish(new StartOrder { OrderId = order, RemindAfter = TimeSpan.FromSeconds(1) });
        Func<Task<string?>> state = async () => (await host.FindOrderAsync(order))?.CurrentState;
        await state.ShouldBecomeAsync("Running", "state before the reminder");

        await host.Bus.Publish(new StopReminding { OrderId = order });

        Func<Task<int>> heard = () => host.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "the answer to the cancellation");
        (await host.InScopeAsync(database => database.Set<ScheduledMessageRow>().CountAsync())).ShouldBe(0);
        await state.ShouldStayAsync("Running", "state after the cancelled reminder", TimeSpan.FromSeconds(1.5));
    }

    [Fact]
    public async Task Should_leave_no_schedule_when_one_consume_schedules_and_cancels()
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync());
        var order = NewId.NextGuid();
        await host.Bus.Publish(new StartOrder { OrderId = order });
        Func<Task<string?>> state = async () => (await host.FindOrderAsync(order))?.CurrentState;
        await state.ShouldBecomeAsync("Running", "state before the reminder");

        await host.Bus.Publish(new StopReminding { OrderId = order, ScheduleFirst = true });

        Func<Task<int>> heard = () => host.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "the answer to the cancellation");
        await state.ShouldStayAsync("Running", "state after the cancelled reminder");
        (await host.InScopeAsync(database => database.Set<ScheduledMessageRow>().CountAsync())).ShouldBe(0);
    }

    [Fact]
    public async Task Should_send_what_an_own_transaction_of_the_explicit_outbox_stored()
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync());
        var order = NewId.NextGuid();

        await host.WithOutboxAsync(async outbox =>
        {
            outbox.DbContext.Effects.Add(new Effect { Name = "asked", OrderId = order });
            await outbox.Publish(new PlaceOrder { OrderId = order });
            await outbox.SaveChangesAsync();
        });

        (await host.CountAsync("asked", order)).ShouldBe(1);
        Func<Task<int>> heard = () => host.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of the response");
        await OutboxShouldBeEmptyAsync(host);
    }

    [Fact]
    public async Task Should_send_after_the_callers_commit_and_nothing_after_its_rollback()
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync());
        var (kept, dropped) = (NewId.NextGuid(), NewId.NextGuid());

        await host.WithOutboxAsync(async outbox =>
        {
            await using var transaction = await outbox.DbContext.Database.BeginTransactionAsync();
            await outbox.Publish(new PlaceOrder { OrderId = dropped });
            await outbox.Schedule(new Uri("exchange:place-order"), DateTime.UtcNow, new PlaceOrder { OrderId = dropped });
            await outbox.SaveChangesAsync();
            await transaction.RollbackAsync();
        });
        await host.WithOutboxAsync(async outbox =>
        {
            await using var transaction = await outbox.DbContext.Database.BeginTransactionAsync();
            await outbox.Publish(new PlaceOrder { OrderId = kept });
            await outbox.SaveChangesAsync();
            await transaction.CommitAsync();
            outbox.NotifyCommitted();
        });

        Func<Task<int>> heard = () => host.CountAsync("heard", kept);
        await heard.ShouldBecomeAsync(1, "effects of the response");
        Func<Task<int>> ghost = () => host.CountAsync("placed", dropped);
        await ghost.ShouldStayAsync(0, "effects of what was rolled back");
        await OutboxShouldBeEmptyAsync(host);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Should_keep_messages_of_a_rolled_back_transaction_out_of_the_next_one_of_the_scope(bool saved)
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync(), outbox => outbox.MessageDeliveryTimeout = TimeSpan.FromSeconds(1));
        var (kept, dropped) = (NewId.NextGuid(), NewId.NextGuid());

        await host.WithOutboxAsync(async outbox =>
        {
            await using (await outbox.DbContext.Database.BeginTransactionAsync())
            {
                await outbox.Publish(new PlaceOrder { OrderId = dropped });
                if (saved)
                    await outbox.SaveChangesAsync();
            }

            await using var transaction = await outbox.DbContext.Database.BeginTransactionAsync();
            await outbox.Publish(new PlaceOrder { OrderId = kept });
            await outbox.SaveChangesAsync();
            await transaction.CommitAsync();
            outbox.NotifyCommitted();
        });

        Func<Task<int>> heard = () => host.CountAsync("heard", kept);
        await heard.ShouldBecomeAsync(1, "effects of the response");
        Func<Task<int>> ghost = () => host.CountAsync("placed", dropped);
        await ghost.ShouldStayAsync(0, "effects of what was rolled back", TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task Should_carry_ids_headers_and_time_to_live()
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync(), services: services => services.AddSingleton<EnvelopeBox>(),
            configure: bus => bus.AddConsumer<EnvelopeConsumer, OrderConsumerDefinition<EnvelopeConsumer>>());
        var (message, correlation, conversation) = (NewId.NextGuid(), NewId.NextGuid(), NewId.NextGuid());

        await host.WithOutboxAsync(async outbox =>
        {
            await outbox.Publish(new Envelope { OrderId = correlation }, context =>
            {
                context.MessageId = message;
                context.CorrelationId = correlation;
                context.ConversationId = conversation;
                context.TimeToLive = TimeSpan.FromMinutes(5);
                context.Headers.Set("Tenant", "anker");
            });
            await outbox.SaveChangesAsync();
        });

        var envelope = await host.Services.GetRequiredService<EnvelopeBox>().Arrived.Task.WaitAsync(TimeSpan.FromSeconds(20));
        envelope.ShouldBe((message, correlation, conversation, "anker", true));
    }

    [Fact]
    public async Task Should_answer_requests_through_the_outbox()
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync(), configure: bus =>
        {
            bus.AddConsumer<QuoteConsumer, OrderConsumerDefinition<QuoteConsumer>>();
            bus.AddRequestClient<QuoteOrder>();
        });
        await using var scope = host.Services.CreateAsyncScope();
        var client = scope.ServiceProvider.GetRequiredService<IRequestClient<QuoteOrder>>();
        var orders = Enumerable.Range(0, 20).Select(_ => NewId.NextGuid()).ToList();

        var answers = await Task.WhenAll(orders.Select(order => client.GetResponse<OrderPlaced>(new QuoteOrder { OrderId = order }, timeout: TimeSpan.FromSeconds(20))));

        answers.Select(answer => answer.Message.OrderId).ShouldBe(orders);
        (await host.InScopeAsync(database => database.Effects.CountAsync(effect => effect.Name == "quoted"))).ShouldBe(20);
    }

    [Fact]
    public async Task Should_sweep_what_a_caller_forgot_to_announce()
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync(), outbox => outbox.MessageDeliveryTimeout = TimeSpan.FromSeconds(1));
        var order = NewId.NextGuid();

        await host.WithOutboxAsync(async outbox =>
        {
            await using var transaction = await outbox.DbContext.Database.BeginTransactionAsync();
            await outbox.Publish(new PlaceOrder { OrderId = order });
            await outbox.SaveChangesAsync();
            await transaction.CommitAsync();
        });

        Func<Task<int>> heard = () => host.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of the response");
        await OutboxShouldBeEmptyAsync(host);
    }

    [Fact]
    public async Task Should_park_a_message_that_can_never_be_sent_and_go_on_with_the_others()
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync(), outbox =>
        {
            outbox.MaxDeliveryTries = 2;
            outbox.MessageDeliveryTimeout = TimeSpan.FromMilliseconds(500);
        });
        var order = NewId.NextGuid();

        await host.WithOutboxAsync(async outbox =>
        {
            await using var transaction = await outbox.DbContext.Database.BeginTransactionAsync();
            await outbox.Publish(new PlaceOrder { OrderId = order }, context => context.MessageId = NewId.NextGuid());
            await outbox.Publish(new PlaceOrder { OrderId = order });
            await outbox.SaveChangesAsync();
            await outbox.DbContext.Set<OutboxMessage>().OrderBy(row => row.SequenceNumber).Take(1)
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.ContentType, "none"));
            await transaction.CommitAsync();
        });

        Func<Task<int>> heard = () => host.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of the good message");
        Func<Task<int>> parked = () => host.InScopeAsync(database => database.Set<OutboxMessage>().CountAsync(row => row.ParkedAt != null && row.LastError != null && row.Tries == 2));
        await parked.ShouldBecomeAsync(1, "parked rows");
        (await host.CheckHealthAsync()).ShouldBe(HealthStatus.Degraded);

        await host.InScopeAsync(database => database.Set<OutboxMessage>().ExecuteUpdateAsync(set => set.SetProperty(row => row.ContentType, "application/vnd.masstransit+json")));
        await using var scope = host.Services.CreateAsyncScope();
        var parking = scope.ServiceProvider.GetRequiredService<IOutboxParking<OrderDbContext>>();
        var message = (await parking.ListAsync()).ShouldHaveSingleItem();
        message.LastError.ShouldNotBeNullOrEmpty();
        (await parking.ReleaseAsync(message.MessageId)).ShouldBe(1);

        await heard.ShouldBecomeAsync(2, "effects after the mended message was released");
        await OutboxShouldBeEmptyAsync(host);
        (await host.CheckHealthAsync()).ShouldBe(HealthStatus.Healthy);
    }

    /// <summary>Column, what stands in it, a word of the reason.</summary>
    private static readonly (string Column, string Value, string Reason)[] Unsendable =
    [
        ("DestinationAddress", "nowhere", "destination address"),
        ("DestinationAddress", "rabbitmq://[/x", "destination address"),
        ("DestinationAddress", "nonsense://somewhere/queue", "nonsense"),
        ("SourceAddress", "nowhere", "source address"),
        ("ResponseAddress", "nowhere", "response address"),
        ("FaultAddress", "nowhere", "fault address"),
        ("ContentType", "none", "content type"),
        ("ContentType", "", "content type"),
        ("MessageType", "", "message type"),
        ("MessageType", "urn:message:Known:Type;unknown", "'unknown'"),
        ("Headers", "{", ""),
        ("Properties", "{", ""),
        ("Body", "", "no envelope"),
        ("Body", """{"messageType":["urn:message:A:B"],"message":{""", "no envelope"),
        ("Body", """{"messageType":["urn:message:A:B"],"message":{}} {}""", "no envelope"),
        ("Body", "[]", "no envelope"),
        ("Body", """{"messageType":["urn:message:A:B"],"message":null}""", "no message"),
        ("Body", """{"message":{}}""", "no messageType"),
        ("Body", $$"""{"messageType":["urn:message:A:B"],"message":{},"more":"{{new string('ä', 50_000)}}"}""", "100000 (MaxMessageBytes)"),
    ];

    [Fact]
    public async Task Should_park_whatever_makes_a_message_unsendable_and_go_on_with_the_others()
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync(), outbox =>
        {
            outbox.MaxDeliveryTries = 2;
            outbox.MaxMessageBytes = 100_000;
            outbox.MessageDeliveryTimeout = TimeSpan.FromMilliseconds(500);
        });
        var order = NewId.NextGuid();
        var messages = Unsendable.Select(_ => NewId.NextGuid()).ToList();

        await host.WithOutboxAsync(async outbox =>
        {
            await using var transaction = await outbox.DbContext.Database.BeginTransactionAsync();
            foreach (var message in messages)
                await outbox.Publish(new PlaceOrder { OrderId = order }, context => context.MessageId = message);
            await outbox.Publish(new PlaceOrder { OrderId = order });
            await outbox.SaveChangesAsync();
            foreach (var (message, (column, value, _)) in messages.Zip(Unsendable))
            {
                var change = $"UPDATE \"OutboxMessage\" SET \"{column}\" = {{0}} WHERE \"MessageId\" = {{1}}";
                (await outbox.DbContext.Database.ExecuteSqlRawAsync(change, value, message)).ShouldBe(1, column);
            }

            await transaction.CommitAsync();
        });

        Func<Task<int>> parked = () => host.InScopeAsync(database => database.Set<OutboxMessage>().CountAsync(row => row.ParkedAt != null && row.Tries == 2));
        await parked.ShouldBecomeAsync(messages.Count, "parked rows");
        Func<Task<int>> heard = () => host.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of the good message");
        await heard.ShouldStayAsync(1, "effects of the good message");
        (await host.CheckHealthAsync()).ShouldBe(HealthStatus.Degraded);
        await using var scope = host.Services.CreateAsyncScope();
        var listed = (await scope.ServiceProvider.GetRequiredService<IOutboxParking<OrderDbContext>>().ListAsync()).ToDictionary(message => message.MessageId);
        foreach (var (message, (column, _, reason)) in messages.Zip(Unsendable))
            listed[message].LastError.ShouldNotBeNull(column).ShouldContain(reason, Case.Sensitive, column);
    }

    [Fact]
    public async Task Should_park_whatever_makes_a_schedule_unsendable_and_go_on_with_the_others()
    {
        await using var host = await OrderHost.StartAsync(await SurroundingsAsync(), outbox => outbox.MaxDeliveryTries = 2);
        var order = NewId.NextGuid();
        string[] unreadable = ["", "null", "{}", "[1]", "{\"MessageId\":\"x\"}"];

        await host.WithOutboxAsync(async outbox =>
        {
            await using var transaction = await outbox.DbContext.Database.BeginTransactionAsync();
            foreach (var text in unreadable)
            {
                var token = await outbox.Schedule(new Uri("exchange:place-order"), DateTime.UtcNow, new PlaceOrder { OrderId = order });
                await outbox.DbContext.Database.ExecuteSqlRawAsync("UPDATE scheduled_message SET message = {0} WHERE token_id = {1}", text, token);
            }

            var wrongAddress = await outbox.Schedule(new Uri("exchange:place-order"), DateTime.UtcNow, new PlaceOrder { OrderId = order });
            (await outbox.DbContext.Database.ExecuteSqlAsync($"UPDATE scheduled_message SET message = replace(message, destination, 'nowhere') WHERE token_id = {wrongAddress}")).ShouldBe(1);
            await outbox.Schedule(new Uri("exchange:place-order"), DateTime.UtcNow, new PlaceOrder { OrderId = order });
            await outbox.SaveChangesAsync();
            await transaction.CommitAsync();
            outbox.NotifyCommitted();
        });

        Func<Task<int>> parked = () => host.InScopeAsync(database => database.Set<ScheduledMessageRow>().CountAsync(row => row.ParkedAt != null && row.Tries == 2));
        await parked.ShouldBecomeAsync(unreadable.Length + 1, "parked schedules");
        Func<Task<int>> heard = () => host.CountAsync("heard", order);
        await heard.ShouldBecomeAsync(1, "effects of the good schedule");
        (await host.CheckHealthAsync()).ShouldBe(HealthStatus.Degraded);
        await using var scope = host.Services.CreateAsyncScope();
        var listed = await scope.ServiceProvider.GetRequiredService<IOutboxParking<OrderDbContext>>().ListAsync();
        listed.Count.ShouldBe(unreadable.Length + 1);
        listed.ShouldAllBe(message => message.LastError!.Contains("can never be sent", StringComparison.Ordinal));
    }

    protected static async Task OutboxShouldBeEmptyAsync(OrderHost host)
    {
        Func<Task<int>> left = () => host.InScopeAsync(database => database.Set<OutboxMessage>().CountAsync());
        await left.ShouldBecomeAsync(0, "rows left in the outbox");
    }
}

public sealed class When_messages_are_consumed_in_transactions_on_sqlite_and_in_memory : When_messages_are_consumed_in_transactions
{
    protected override Task<OrderSurroundings> SurroundingsAsync() => Task.FromResult(OrderSurroundings.Embedded());
}

[Trait("Needs", "Servers")]
public sealed class When_messages_are_consumed_in_transactions_on_postgres_and_rabbitmq : When_messages_are_consumed_in_transactions
{
    protected override Task<OrderSurroundings> SurroundingsAsync() => OrderSurroundings.DistributedAsync();
}
