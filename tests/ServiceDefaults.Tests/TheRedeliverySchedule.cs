using Microsoft.Extensions.Configuration;

namespace Assay.ServiceDefaults.Tests;

public sealed class TheRedeliverySchedule
{
    [Fact]
    public void Should_keep_all_steps_below_the_stall_timeout()
    {
        var options = MessagingOptions.From(Settings());

        options.Redelivery.ShouldBe([TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2)]);
        options.CutRedelivery.ShouldBeEmpty();
    }

    [Fact]
    public void Should_be_cut_where_a_message_could_outlive_the_stall_timeout()
    {
        var options = MessagingOptions.From(Settings(("AuditSaga:StallTimeout", "00:01:00")));

        options.Redelivery.ShouldBe([TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30)]);
        options.CutRedelivery.ShouldBe([TimeSpan.FromMinutes(2)]);
    }

    [Fact]
    public void Should_name_the_setting_that_is_wrong() =>
        Should.Throw<FormatException>(() => MessagingOptions.From(Settings(("Messaging:Redelivery", "00:00:05,soon")))).Message.ShouldContain("Messaging__Redelivery");

    static IConfiguration Settings(params (string Key, string Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))).Build();
}
