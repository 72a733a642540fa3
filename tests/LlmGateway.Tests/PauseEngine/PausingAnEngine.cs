using Assay.Contracts.Internal.LlmGateway;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using PauseEngineMessage = Assay.Contracts.Internal.LlmGateway.PauseEngine;

namespace Assay.LlmGateway.PauseEngine;

public sealed class PausingAnEngine
{
    [Fact]
    public async Task Should_let_its_calls_wait_until_it_is_resumed()
    {
        var engine = new TestEngine();
        await using var gateway = await GatewayHost.StartAsync(DatabaseProvider.Sqlite, engine);
        var request = Requests.Audit(["one"]);
        await gateway.OpenAsync(Requests.Open(request));

        var list = await gateway.Bus.CreateRequestClient<PauseEngineMessage>().GetResponse<EngineList>(new PauseEngineMessage { Engine = "test", Reason = "test", RequestedBy = "operator" });
        list.Message.Engines.ShouldHaveSingleItem().State.ShouldBe("paused");
        var ask = Requests.Ask(request);
        await gateway.Bus.Publish(ask);
        await GatewayHost.EventuallyAsync(() => gateway.Of<BatchAlive>(request.AuditId).FirstOrDefault(sign => sign.WaitingFor == "engine test to be resumed"));
        engine.Received.ShouldBeEmpty();

        await gateway.Bus.CreateRequestClient<ResumeEngine>().GetResponse<EngineList>(new ResumeEngine { Engine = "test", RequestedBy = "operator" });
        (await gateway.AnsweredAsync(ask)).Answers.ShouldAllBe(answer => answer.State == CallStates.Answered);
    }
}
