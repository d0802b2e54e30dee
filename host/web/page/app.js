document.getElementById("app").textContent = "host";
