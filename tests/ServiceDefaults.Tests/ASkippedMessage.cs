using System.Text;

namespace Assay.ServiceDefaults.Tests;

public sealed class ASkippedMessage
{
    [Theory]
    [InlineData("open-budget_skipped", "MT-Reason", "dead-letter", "skipped", "Its reader has no consumer for this type of message.")]
    [InlineData("assay-dead-letter", "x-first-death-reason", "expired", "expired", "It was not read before its time to live was over.")]
    public void Should_not_be_called_a_dead_letter(string queue, string header, string reason, string faultType, string meaning)
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal) { [header] = reason };
        var read = FaultedMessage.Read(queue, null, headers, null, Encoding.UTF8.GetBytes("{}"));
        (read.FaultType, read.FaultText).ShouldBe((faultType, meaning));
    }
}
