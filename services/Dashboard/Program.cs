return await Assay.ServiceDefaults.AssayHost.RunServiceAsync(new Assay.Dashboard.DashboardModule(), args);
